import { type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import type { SlaFigure, SlaMonth } from "@securewave/contracts";
import { given, type Perform } from "../call.ts";
import { EXIT } from "../failure.ts";
import type { Column, Output, Style } from "../output.ts";
import { sparkline } from "../sparkline.ts";

const CELLS = 31;

export function addSlaCommand(program: CommandUnknownOpts, perform: Perform): void {
  program
    .command("sla")
    .description("show how well the service was in a month; exit code 1 where a figure is alarming")
    .addOption(new Option("-m, --month <month>", "such as 2026-11; this month if not given").argParser(month))
    .addHelpText(
      "after",
      `
Minutes in which nobody measured are unknown, and never counted as up. Maintenance that was announced 24 hours ahead
counts neither way. Figures of requests are shown from 1,000 requests in a quarter of an hour on.

Examples:
  $ securewave sla
  $ securewave sla --month 2026-10 --json`,
    )
    .action((options) =>
      perform(async ({ client, out }) => {
        const { sla } = await client();
        const shown = await sla.month({ query: given({ month: options.month }) });
        out.result(shown, () => textOf(out, shown));
        return shown.figures.some(({ state }) => state === "alarming") ? EXIT.failed : EXIT.done;
      }),
    );
}

function month(text: string): string {
  if (!/^20\d{2}-(0[1-9]|1[0-2])$/.test(text))
    throw new InvalidArgumentError("A month such as 2026-11 is wanted.");
  return text;
}

function textOf(out: Output, { month, components, budget, figures, days }: SlaMonth): string {
  const unknown = budget.unknown_minutes > 0 ? `; ${budget.unknown_minutes} min unknown` : "";
  const mean = sparkline(
    days.map((day) => day.mean_ms ?? day.probe_ms ?? undefined),
    CELLS,
  );
  return [
    out.table(COMPONENT_COLUMNS, components),
    "",
    out.table(FIGURE_COLUMNS, figures),
    "",
    out.fields([
      ["Month", month],
      [
        "Error budget",
        budget.left === null
          ? "unknown"
          : `${budget.spent_minutes} of ${budget.minutes} min spent, ${percent(budget.left, 0)} left${unknown}`,
      ],
      ["Answers, by day", mean.trim() === "" ? undefined : mean],
    ]),
  ].join("\n");
}

const COMPONENT_COLUMNS: readonly Column<SlaMonth["components"][number]>[] = [
  { title: "PART", value: ({ name }) => name, style: () => "bold" },
  { title: "UPTIME", value: ({ availability }) => percent(availability, 3), align: "right" },
  { title: "AT LEAST", value: (part) => percent(part.availability_at_least, 3), align: "right" },
  { title: "DOWN", value: ({ minutes }) => `${minutes.down} min`, align: "right" },
  { title: "DEGRADED", value: ({ minutes }) => `${minutes.degraded} min`, align: "right" },
  { title: "MAINTENANCE", value: ({ minutes }) => `${minutes.maintenance} min`, align: "right" },
  { title: "UNKNOWN", value: ({ minutes }) => `${minutes.unknown} min`, align: "right" },
];

export const FIGURE_NAMES: Readonly<Record<SlaFigure["name"], string>> = {
  availability: "Uptime",
  error_share: "Failed requests",
  mean_ms: "Mean answer",
  p95_ms: "95 % within",
  query_ms: "Mean query",
  processor: "Processor",
  memory: "Memory",
};
const STYLES: Readonly<Record<SlaFigure["state"], Style>> = {
  met: "green",
  missed: "yellow",
  alarming: "red",
  unknown: "dim",
};

const FIGURE_COLUMNS: readonly Column<SlaFigure>[] = [
  { title: "FIGURE", value: ({ name }) => FIGURE_NAMES[name], style: () => "bold" },
  { title: "VALUE", value: ({ name, value }) => figure(name, value), align: "right" },
  { title: "TARGET", value: ({ name, target }) => figure(name, target), align: "right" },
  { title: "ALARM", value: ({ name, alert }) => figure(name, alert), align: "right" },
  { title: "STATE", value: ({ state }) => state, style: ({ state }) => STYLES[state] },
];

export function figure(name: SlaFigure["name"], value: number | null): string {
  if (value === null) return "unknown";
  return name.endsWith("_ms")
    ? `${Math.round(value * 10) / 10} ms`
    : percent(value, name === "availability" ? 3 : 2);
}

/** Rounded down: 99.9996 % is not all. */
function percent(share: number | null, digits: number): string {
  if (share === null) return "unknown";
  const factor = 10 ** digits;
  return `${(Math.floor(share * 100 * factor + 1e-6) / factor).toFixed(digits)} %`;
}
