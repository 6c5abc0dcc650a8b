import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { Alert, AlertEpisode } from "@securewave/contracts";
import { SECOND_MS } from "@securewave/foundation";
import { lists } from "../acts.ts";
import type { Perform } from "../call.ts";
import { duration } from "../duration.ts";
import { EXIT } from "../failure.ts";
import { humanDuration, timeText } from "../human.ts";
import type { Column, Output, Style } from "../output.ts";
import { plain } from "../output.ts";

/** As the contract has it: four weeks. */
const MINUTES_MAX = 40_320;

export function addAlertCommands(program: CommandUnknownOpts, perform: Perform): void {
  const alerts = program
    .command("alerts")
    .description("what the service watches by itself; for support agents and admins");
  addListCommand(alerts, perform);
  addHistoryCommand(alerts, perform);
  addSilenceCommand(alerts, perform);
  addUnsilenceCommand(alerts, perform);
}

function addListCommand(alerts: CommandUnknownOpts, perform: Perform): void {
  alerts
    .command("list")
    .description("show what fires; exit code 1 when something does that nobody silenced")
    .option("-a, --all", "show the quiet ones too")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave alerts list
  $ securewave alerts list --all --json`,
    )
    .action(({ all = false }) =>
      perform(async ({ client, out, nowMs }) => {
        const result = await (await client()).alerts.list();
        const firing = result.items.filter(({ state }) => state === "firing");
        const shown = { ...result, items: all ? result.items : firing };
        out.result(shown, () =>
          [
            shown.items.length === 0 ? "Nothing fires." : out.table(alertColumns(nowMs), shown.items),
            ...firing.map((alert) => adviceOf(out, alert)),
            judgedText(result.judged_at, nowMs),
          ].join("\n\n"),
        );
        return firing.some(({ silence }) => silence === null) ? EXIT.failed : undefined;
      }),
    );
}

function addHistoryCommand(alerts: CommandUnknownOpts, perform: Perform): void {
  const command = alerts
    .command("history")
    .description("list when alerts fired, the newest first")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave alerts history
  $ securewave alerts history --all --json`,
    );
  lists(command, perform, {
    noun: "time",
    none: "No alert fired within 90 days.",
    open: (api) => (query) => api.alerts.history({ query }),
    columns: () => EPISODE_COLUMNS,
  });
}

function addSilenceCommand(alerts: CommandUnknownOpts, perform: Perform): void {
  alerts
    .command("silence")
    .description("have no mail sent about an alert for a while")
    .argument("<alert>", "its name, as NodeOffline")
    .addOption(
      new Option("-f, --for <duration>", "how long: 30m, 1h, 7d")
        .default(60, "1h")
        .argParser(duration("m", MINUTES_MAX)),
    )
    .requiredOption("-r, --reason <text>", "why, for your colleagues; up to 200 characters")
    .addHelpText(
      "after",
      `
It is judged and shown all the same; what still fires when the silence ends is told then.

Examples:
  $ securewave alerts silence NodeOffline --reason "its hoster moves it"
  $ securewave alerts silence DiskFilling --for 2d --reason "a larger one is ordered"`,
    )
    .action((name, { for: minutes, reason }) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const alert = await api.alerts.silence({ params: { name }, body: { minutes, reason } });
        out.result(alert, () => `${alert.name} is silent for ${humanDuration(minutes * 60)}.`);
      }),
    );
}

function addUnsilenceCommand(alerts: CommandUnknownOpts, perform: Perform): void {
  alerts
    .command("unsilence")
    .description("let an alert be heard again")
    .argument("<alert>", "its name, as NodeOffline")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave alerts unsilence NodeOffline`,
    )
    .action((name) =>
      perform(async ({ client, out }) => {
        await (await client()).alerts.unsilence({ params: { name } });
        out.result({ name }, () => `${plain(name)} is heard again.`);
      }),
    );
}

function styleOf({ state, severity, silence }: Alert): Style {
  if (state === "quiet" || silence !== null) return "dim";
  return severity === "critical" ? "red" : "yellow";
}

function alertColumns(nowMs: number): Column<Alert>[] {
  return [
    { title: "ALERT", value: ({ name }) => name, style: styleOf, isWhole: true },
    { title: "SEVERITY", value: ({ severity }) => severity },
    {
      title: "STATE",
      value: ({ state, silence }) => (silence === null ? state : `${state}, silent`),
    },
    {
      title: "FOR",
      value: ({ since }) => (since === null ? "" : humanDuration(secondsSince(since, nowMs))),
      align: "right",
    },
    { title: "WHAT", value: ({ summary }) => summary, isWhole: true },
  ];
}

const EPISODE_COLUMNS: readonly Column<AlertEpisode>[] = [
  { title: "ALERT", value: ({ name }) => name, isWhole: true },
  { title: "SEVERITY", value: ({ severity }) => severity },
  { title: "BEGAN (UTC)", value: ({ began_at }) => minuteText(began_at) },
  {
    title: "ENDED (UTC)",
    value: ({ ended_at }) => (ended_at === null ? "it still fires" : minuteText(ended_at)),
  },
];

function adviceOf(out: Output, { name, advice, runbook, silence }: Alert): string {
  const why = silence === null ? "" : ` Silent until ${minuteText(silence.until)}: ${plain(silence.reason)}.`;
  return `${out.style("bold", name)}: ${advice}${why}\n${out.style("dim", runbook)}`;
}

function judgedText(judgedAt: string | null, nowMs: number): string {
  return judgedAt === null
    ? "Nothing was judged yet: ALERT_WATCH is off, or the service has just started."
    : `Judged ${humanDuration(secondsSince(judgedAt, nowMs))} ago.`;
}

function minuteText(instant: string): string {
  return timeText(instant).slice(0, 16);
}

function secondsSince(instant: string, nowMs: number): number {
  return Math.max(0, (nowMs - Date.parse(instant)) / SECOND_MS);
}
