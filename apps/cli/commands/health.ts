import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { HealthDetails } from "@securewave/contracts";
import type { Perform } from "../call.ts";
import { EXIT } from "../failure.ts";
import type { Column, Style } from "../output.ts";

type Check = HealthDetails["checks"][number];

const STATE_STYLES: Readonly<Record<Check["state"], Style>> = {
  well: "green",
  warning: "yellow",
  failing: "red",
  unknown: "dim",
};

const STATUS_STYLES: Readonly<Record<HealthDetails["status"], Style>> = {
  healthy: "green",
  degraded: "yellow",
  unhealthy: "red",
};

export function addHealthCommand(program: CommandUnknownOpts, perform: Perform): void {
  program
    .command("health")
    .description("show how each part of the service is, and what to do; exit code 1 when one fails")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave health
  $ securewave health --json`,
    )
    .action(() =>
      perform(async ({ client, out }) => {
        const health = await (await client()).alerts.health();
        const troubled = health.checks.filter(({ advice }) => advice !== null);
        out.result(health, () =>
          [
            `The service is ${out.style(STATUS_STYLES[health.status], health.status)}.`,
            out.table(COLUMNS, health.checks),
            ...troubled.map(({ title, advice }) => `${out.style("bold", title)}: ${advice}`),
          ].join("\n\n"),
        );
        return health.checks.some(({ state }) => state === "failing") ? EXIT.failed : undefined;
      }),
    );
}

const COLUMNS: readonly Column<Check>[] = [
  { title: "PART", value: ({ title }) => title, style: () => "bold" },
  { title: "STATE", value: ({ state }) => state, style: ({ state }) => STATE_STYLES[state] },
  { title: "WHAT", value: ({ says }) => says, isWhole: true },
];
