import { Argument, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import {
  ApiError,
  type DrillReport,
  type DrillSummary,
  requestErrors,
  SCENARIOS,
} from "@securewave/contracts";
import { lists } from "../acts.ts";
import { type Call, given, type Perform } from "../call.ts";
import { CliError, EXIT } from "../failure.ts";
import type { Column, Output, Style } from "../output.ts";

const OUTCOME_STYLES: Readonly<Record<DrillSummary["outcome"], Style>> = {
  met: "green",
  missed: "yellow",
  failed: "red",
};

export function addDrillCommands(program: CommandUnknownOpts, perform: Perform): void {
  addDrill(program, perform);
  const drills = program.command("drills").description("what drills measured");
  addList(drills, perform);
  addShow(drills, perform);
}

function addDrill(program: CommandUnknownOpts, perform: Perform): void {
  program
    .command("drill")
    .description("carry out a recovery on services of its own, measure it, and hold it against the targets")
    .addArgument(new Argument("<scenario>", "what happens").choices([...SCENARIOS, "all"]))
    .option("--no-record", "do not send the report to the service")
    .addHelpText(
      "after",
      `
Nothing of it touches the service that you are logged in to: each drill starts its own processes in a temporary folder
and takes them away. Only the report is sent, which the service signs and keeps. Exit code 1 unless all targets are met.

Examples:
  $ securewave drill node-loss
  $ securewave drill all --json
  $ securewave drills list`,
    )
    .action((scenario, { record }) =>
      perform(async (call) => {
        const wanted = scenario === "all" ? SCENARIOS : SCENARIOS.filter((known) => known === scenario);
        const reports: DrillReport[] = [];
        for (const each of wanted) {
          call.out.note(`${each}:`);
          const report = await call.environment.runDrill(each, (atSeconds, what) =>
            call.out.note(`${atSeconds.toFixed(1).padStart(7)} s  ${what}`),
          );
          reports.push(report);
          if (record) await keep(call, report);
        }
        call.out.result(scenario === "all" ? reports : reports[0], () => reportTable(call.out, reports));
        return reports.every(({ outcome }) => outcome === "met") ? undefined : EXIT.failed;
      }),
    );
}

/** Sends it, where one is logged in: a drill is one without a service, too. */
async function keep(call: Call, report: DrillReport): Promise<void> {
  try {
    const { number } = await (await call.client()).drills.record({ body: report });
    call.out.note(`The service keeps it as report ${number}.`);
  } catch (error) {
    const isNobody = error instanceof ApiError && error.code === requestErrors.notLoggedIn.code;
    const isAway = error instanceof ApiError && error.status === 0;
    if (!isNobody && !isAway && !(error instanceof CliError)) throw error;
    const why = isAway ? "the service cannot be reached" : "log in as staff to have the service keep it";
    call.out.note(`It is kept nowhere: ${why}.`);
  }
}

function reportTable(out: Output, reports: readonly DrillReport[]): string {
  const columns: Column<DrillReport>[] = [
    { title: "DRILL", value: ({ scenario }) => scenario, style: () => "bold" },
    { title: "OUTCOME", value: ({ outcome }) => outcome, style: ({ outcome }) => OUTCOME_STYLES[outcome] },
    { title: "RTO", value: ({ rto_seconds }) => secondsText(rto_seconds), align: "right" },
    { title: "TARGET", value: ({ target }) => secondsText(target.rto_seconds), align: "right" },
    { title: "RPO", value: ({ rpo_seconds }) => secondsText(rpo_seconds), align: "right" },
    { title: "TARGET", value: ({ target }) => secondsText(target.rpo_seconds), align: "right" },
    { title: "WRITES", value: ({ writes }) => String(writes.acknowledged), align: "right" },
    { title: "LOST", value: ({ writes }) => String(writes.lost), align: "right" },
  ];
  const unmet = reports.flatMap(({ scenario, checks }) =>
    checks.filter(({ is_met }) => !is_met).map(({ what }) => `${scenario}: not so: ${what}`),
  );
  return [out.table(columns, reports), ...unmet].join("\n");
}

function secondsText(seconds: number | null): string {
  if (seconds === null) return "";
  return seconds >= 3600 ? `${seconds / 3600} h` : `${seconds.toFixed(1)} s`;
}

function addList(drills: CommandUnknownOpts, perform: Perform): void {
  const command = drills
    .command("list")
    .description("list what drills measured, the newest first")
    .addOption(new Option("--scenario <scenario>", "only these").choices(SCENARIOS))
    .addHelpText(
      "after",
      "\nExamples:\n  $ securewave drills list\n  $ securewave drills list --scenario breach",
    );
  lists(command, perform, {
    noun: "drill",
    none: "No drill was recorded. Carry one out: securewave drill node-loss",
    open:
      (api, { scenario }) =>
      (query) =>
        api.drills.list({ query: { ...query, ...given({ scenario }) } }),
    columns: (): Column<DrillSummary>[] => [
      { title: "NUMBER", value: ({ number }) => String(number), align: "right", style: () => "bold" },
      { title: "DAY", value: ({ carried_out_on }) => carried_out_on },
      { title: "DRILL", value: ({ scenario }) => scenario },
      { title: "OUTCOME", value: ({ outcome }) => outcome, style: ({ outcome }) => OUTCOME_STYLES[outcome] },
      { title: "RTO", value: ({ rto_seconds }) => secondsText(rto_seconds), align: "right" },
      { title: "RPO", value: ({ rpo_seconds }) => secondsText(rpo_seconds), align: "right" },
      { title: "ID", value: ({ id }) => id, style: () => "dim", isWhole: true },
    ],
  });
}

function addShow(drills: CommandUnknownOpts, perform: Perform): void {
  drills
    .command("show")
    .description("show one drill from its beginning to its end")
    .argument("<id>", "its id, as the list has it")
    .addHelpText("after", "\nExamples:\n  $ securewave drills show dri_0123456789abcdefghjk --json")
    .action((id) =>
      perform(async (call) => {
        const record = await (await call.client()).drills.show({ params: { id } });
        call.out.result(record, () => {
          const { report, carried_out_on, number } = record;
          const steps = report.timeline.map(
            ({ at_seconds, what }) => `${at_seconds.toFixed(1).padStart(7)} s  ${what}`,
          );
          return `Report ${number} of ${carried_out_on}\n\n${steps.join("\n")}\n\n${reportTable(call.out, [report])}`;
        });
      }),
    );
}
