import { type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { AUDIT_KINDS, type AuditEntry, type AuditKind, type Client } from "@securewave/contracts";
import { lists } from "../acts.ts";
import { given, type Perform } from "../call.ts";
import { timeText } from "../human.ts";
import type { Column, Style } from "../output.ts";
import { resolveAccount } from "../resolve.ts";
import { addCheckpointCommand } from "./audit-checkpoint.ts";
import { addExportCommand } from "./audit-export.ts";
import { addVerifyCommand } from "./audit-verify.ts";
import { addZeroLogCommand } from "./audit-zero-log.ts";
import { addVerifyReportCommand } from "./audit-zero-log-verify.ts";

export function addAuditCommands(program: CommandUnknownOpts, perform: Perform): void {
  const audit = program.command("audit").description("the trail of acts that bear on security");
  addListCommand(audit, perform);
  addCheckpointCommand(audit, perform);
  addExportCommand(audit, perform);
  addVerifyCommand(audit, perform);
  addZeroLogCommand(audit, perform);
  addVerifyReportCommand(audit, perform);
}

function addListCommand(audit: CommandUnknownOpts, perform: Perform): void {
  const command = audit
    .command("list")
    .description("list the trail, the newest entries first")
    .addOption(new Option("-k, --kind <kind>", "only what happened like this").choices(AUDIT_KINDS))
    .option("--actor <who>", "only what somebody did: an id, a mail address, `system` or `unknown`")
    .option("--subject <whom>", "only what happened to somebody or something: an id or a mail address")
    .option("--from <day>", "only from this day on, such as 2026-11-20", parseDay)
    .option("--to <day>", "only up to this day", parseDay)
    .option("-s, --search <text>", "only what has this in an id or in the details")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave audit list
  $ securewave audit list --kind login_refused --from 2026-11-01
  $ securewave audit list --actor admin@example.org --all --json`,
    );
  lists(command, perform, {
    noun: "entry",
    none: "No entries.",
    async open(api, { kind, from, to, ...who }) {
      const [actor, subject] = [await idOf(api, who.actor), await idOf(api, who.subject)];
      const filter = given({ kind, actor, subject, from, to });
      return (query) => api.audit.list({ query: { ...query, ...filter } });
    },
    columns: () => COLUMNS,
  });
}

/** The trail knows ids only. */
async function idOf(api: Client, who: string | undefined): Promise<string | undefined> {
  return who?.includes("@") ? resolveAccount(api, who) : who;
}

function parseDay(text: string): string {
  const instant = new Date(`${text}T00:00:00Z`);
  if (/^\d{4}-\d{2}-\d{2}$/.test(text) && instant.toJSON()?.startsWith(text)) return text;
  throw new InvalidArgumentError("A day such as 2026-11-20 is wanted.");
}

/** What stands out among the rest, as in the console. */
const KIND_STYLES: Readonly<Partial<Record<AuditKind, Style>>> = {
  login_refused: "yellow",
  refresh_reused: "red",
  second_factor_disabled: "yellow",
  second_factor_reset_by_staff: "yellow",
  block_added: "yellow",
};

const COLUMNS: readonly Column<AuditEntry>[] = [
  { title: "NO.", value: ({ index }) => String(index), align: "right" },
  { title: "TIME (UTC)", value: ({ body }) => (body ? timeText(body.time) : "") },
  {
    title: "KIND",
    value: ({ body }) => body?.kind ?? "(erased)",
    style: ({ body }) => (body ? KIND_STYLES[body.kind] : "dim"),
  },
  { title: "ACTOR", value: ({ body }) => body?.actor ?? "" },
  { title: "SUBJECT", value: ({ body }) => body?.subject ?? "" },
  { title: "DETAILS", value: ({ body }) => (body ? detailsText(body) : "") },
];

function detailsText({ details, origin }: NonNullable<AuditEntry["body"]>): string {
  const facts = Object.entries(origin === undefined ? details : { ...details, origin });
  return facts.map(([name, value]) => `${name}=${valueText(value)}`).join(" ");
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueText).join(",");
  return typeof value === "string" ? value : JSON.stringify(value);
}
