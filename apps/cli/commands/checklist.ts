import { Argument, type CommandUnknownOpts } from "@commander-js/extra-typings";
import { ApiError } from "@securewave/contracts";
import type { Perform } from "../call.ts";
import { createFacts, type Facts } from "../checklists/facts.ts";
import { CHECKLIST_NAMES, CHECKLISTS, type Item } from "../checklists/lists.ts";
import { EXIT } from "../failure.ts";
import { counted } from "../human.ts";
import type { Column, Output, Style } from "../output.ts";

interface Checked {
  readonly what: string;
  readonly state: "well" | "look" | "unknown" | "by hand";
  readonly says: string;
}

const STYLES: Readonly<Record<Checked["state"], Style>> = {
  well: "green",
  look: "red",
  unknown: "dim",
  "by hand": "cyan",
};

export function addChecklistCommand(program: CommandUnknownOpts, perform: Perform): void {
  program
    .command("checklist")
    .description("go through an operators' checklist; exit code 1 when something is to be looked at")
    .addArgument(new Argument("<list>", "which").choices(CHECKLIST_NAMES))
    .addHelpText(
      "after",
      `
What a machine can see is looked at; the rest says what a person is to look at.

Examples:
  $ securewave checklist daily
  $ securewave checklist incident
  $ securewave checklist monthly --json`,
    )
    .action((name) =>
      perform(async (call) => {
        const facts = createFacts(await call.client(), call.nowMs);
        const checked: Checked[] = [];
        for (const item of CHECKLISTS[name]) checked.push(await check(item, facts));
        call.out.result({ list: name, items: checked }, () => table(call.out, checked));
        return checked.some(({ state }) => state === "look") ? EXIT.failed : undefined;
      }),
    );
}

/** @throws ApiError where the service lets nobody look, or is away */
async function check({ what, look, byHand }: Item, facts: Facts): Promise<Checked> {
  if (look === undefined) return { what, state: "by hand", says: byHand ?? "" };
  try {
    const { isWell, says } = await look(facts);
    const more = isWell || byHand === undefined ? "" : ` (${byHand})`;
    const state = isWell === undefined ? "unknown" : isWell ? "well" : "look";
    return { what, state, says: says + more };
  } catch (error) {
    if (!(error instanceof ApiError) || [0, 401, 403].includes(error.status)) throw error;
    return { what, state: "look", says: `could not be seen: ${error.message}` };
  }
}

function table(out: Output, items: readonly Checked[]): string {
  const columns: Column<Checked>[] = [
    {
      title: "",
      value: ({ state }) => (state === "well" ? "ok" : state),
      style: ({ state }) => STYLES[state],
      isWhole: true,
    },
    { title: "WHAT", value: ({ what }) => what, style: () => "bold", isWhole: true },
    { title: "", value: ({ says }) => says, isWhole: true },
  ];
  const those = (which: Checked["state"]) => items.filter(({ state }) => state === which).length;
  const unknown = those("unknown") === 0 ? "" : `, ${those("unknown")} unknown`;
  const rest = `${counted(those("look"), "thing")} to look at, ${those("by hand")} by hand${unknown}`;
  return `${out.table(columns, items)}\n\n${rest}`;
}
