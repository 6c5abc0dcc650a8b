import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { Maintenance, MaintenanceMode, MaintenanceNow } from "@securewave/contracts";
import { MAINTENANCE_MODES } from "@securewave/contracts";
import { MINUTE_MS } from "@securewave/foundation";
import { asksFirst, lists } from "../acts.ts";
import { given, type Perform } from "../call.ts";
import { timeText } from "../human.ts";
import { commaList } from "../options.ts";
import type { Column } from "../output.ts";
import { findMaintenance } from "../resolve.ts";
import { addRescheduleCommand } from "./maintenance-reschedule.ts";
import { maintenanceLength, spanText, utcTime } from "./maintenance-times.ts";

const MODE_TEXT: Readonly<Record<MaintenanceMode, string>> = {
  off: "The service is open.",
  "read-only": "Customers look and change nothing. Tunnels go on.",
  closed: "Only staff are let in. Tunnels go on.",
};

export function addMaintenanceCommands(program: CommandUnknownOpts, perform: Perform): void {
  const maintenance = program
    .command("maintenance")
    .description("announce maintenance, or switch what customers may do meanwhile");
  addSwitchCommands(maintenance, perform);
  addScheduleCommand(maintenance, perform);
  addRescheduleCommand(maintenance, perform);
  addListCommands(maintenance, perform);
}

function addSwitchCommands(maintenance: CommandUnknownOpts, perform: Perform): void {
  maintenance
    .command("status")
    .description("show which mode holds, and why")
    .addHelpText("after", "\nExamples:\n  $ securewave maintenance status")
    .action(() =>
      perform(async ({ client, out }) => {
        const now = await (await client()).statusDesk.maintenance();
        out.result(now, () => modeText(now));
      }),
    );

  maintenance
    .command("on")
    .description("switch it on, in all replicas at once; for admins")
    .addOption(
      new Option("-m, --mode <mode>", "what customers may do")
        .choices(["read-only", "closed"] as const)
        .default("read-only" as const),
    )
    .option("-y, --yes", "do not ask")
    .addHelpText(
      "after",
      `
Tunnels and nodes go on in either mode, and staff are let in.

Examples:
  $ securewave maintenance on
  $ securewave maintenance on --mode closed --yes`,
    )
    .action(({ mode, yes }) =>
      perform(async ({ client, out, confirm }) => {
        const { statusDesk } = await client();
        await confirm(mode === "closed" ? "Let in nobody but staff?" : "Let customers change nothing?", yes);
        const now = await statusDesk.switchMode({ body: { mode } });
        out.result(now, () => modeText(now));
      }),
    );

  maintenance
    .command("off")
    .description("switch it off; for admins")
    .addHelpText("after", "\nExamples:\n  $ securewave maintenance off")
    .action(() =>
      perform(async ({ client, out }) => {
        const now = await (await client()).statusDesk.switchMode({ body: { mode: "off" } });
        out.result(now, () => modeText(now));
      }),
    );
}

function modeText({ mode, switched, configured, scheduled, breach, ends_at }: MaintenanceNow): string {
  const reasons = [
    ...(mode !== "off" && switched === mode ? ["staff switched it: securewave maintenance off"] : []),
    ...(mode !== "off" && breach === mode ? ["a breach is open: securewave breach close"] : []),
    ...(mode !== "off" && configured === mode ? ["MAINTENANCE_MODE says so"] : []),
    ...(mode !== "off" && scheduled === mode ? ["announced maintenance goes on"] : []),
  ];
  const until = ends_at === null ? "" : ` It ends by itself at ${timeText(ends_at).slice(0, 16)} UTC.`;
  return `${mode}: ${MODE_TEXT[mode]}${until}${reasons.length > 0 ? ` (${reasons.join("; ")})` : ""}`;
}

function addScheduleCommand(maintenance: CommandUnknownOpts, perform: Perform): void {
  maintenance
    .command("schedule")
    .description("announce maintenance, 24 hours ahead at least; for admins")
    .argument("<title>", "such as “New disks”")
    .requiredOption("-t, --text <text>", "what is going to be done")
    .addOption(
      new Option("-s, --starts <time>", "in UTC: 2026-11-24T02:00").argParser(utcTime).makeOptionMandatory(),
    )
    .addOption(
      new Option("-f, --for <duration>", "how long: 30m, 2h")
        .argParser(maintenanceLength)
        .makeOptionMandatory(),
    )
    .addOption(new Option("-m, --mode <mode>", "what customers may do meanwhile").choices(MAINTENANCE_MODES))
    .addOption(
      new Option(
        "-p, --parts <parts>",
        "such as tunnels/us-east,mail; the whole service if not given",
      ).argParser(commaList),
    )
    .option("--emergency", "announce it less than 24 hours ahead, which everybody is shown")
    .option("--no-mail", "send customers no mail")
    .addHelpText(
      "after",
      `
Its mode begins and ends by itself. Customers whom it concerns get a mail now, and one two hours before it begins.

Examples:
  $ securewave maintenance schedule "New disks" --text "We change disks." --starts 2026-11-24T02:00 --for 2h --mode read-only
  $ securewave maintenance schedule "Line" -t "A line is mended." -s 2026-11-24T02:00 -f 30m -p tunnels/us-east`,
    )
    .action((title, options) =>
      perform(async ({ client, out }) => {
        const { statusDesk } = await client();
        const window = await statusDesk.schedule({
          body: {
            title,
            text: options.text,
            starts_at: new Date(options.starts).toISOString(),
            ends_at: new Date(options.starts + options.for * MINUTE_MS).toISOString(),
            notifies: options.mail,
            ...given({ mode: options.mode, components: options.parts, is_emergency: options.emergency }),
          },
        });
        out.result(window, () => `${window.title} is announced for ${spanText(window)} (${window.id}).`);
      }),
    );
}

function addListCommands(maintenance: CommandUnknownOpts, perform: Perform): void {
  const list = maintenance
    .command("list")
    .description("list what was announced, the latest first")
    .addHelpText(
      "after",
      "\nExamples:\n  $ securewave maintenance list\n  $ securewave maintenance list --all --json",
    );
  lists(list, perform, {
    noun: "maintenance window",
    none: "No maintenance was announced.",
    open: (api) => (query) =>
      api.statusDesk.windows({ query: given({ limit: query.limit, cursor: query.cursor }) }),
    columns: () => COLUMNS,
  });

  const cancel = maintenance
    .command("cancel")
    .description("call maintenance off, or end it while it goes on; for admins")
    .argument("<maintenance>", "its title, the beginning of it, or its id")
    .addHelpText("after", `\nExamples:\n  $ securewave maintenance cancel "New disks" --yes`);
  asksFirst(cancel, perform, {
    find: findMaintenance,
    question: ({ title, state }) => (state === "active" ? `End ${title} now?` : `Call ${title} off?`),
    act: (api, { id }) => api.statusDesk.cancel({ params: { id } }),
    done: ({ title, state }) => (state === "cancelled" ? `${title} is called off.` : `${title} is over.`),
  });
}

const COLUMNS: readonly Column<Maintenance>[] = [
  { title: "MAINTENANCE", value: ({ title }) => title, style: () => "bold" },
  {
    title: "STATE",
    value: ({ state }) => state,
    style: ({ state }) => (state === "active" ? "yellow" : undefined),
  },
  { title: "WHEN (UTC)", value: spanText },
  { title: "MODE", value: ({ mode }) => mode },
  { title: "NOTICE", value: ({ is_emergency }) => (is_emergency ? "emergency" : "24 h ahead") },
  { title: "PARTS", value: ({ components }) => (components.length === 0 ? "all" : components.join(", ")) },
  { title: "ID", value: ({ id }) => id, style: () => "dim" },
];
