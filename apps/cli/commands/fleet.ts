import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Node, NodeState } from "@securewave/contracts";
import type { Perform } from "../call.ts";
import { EXIT } from "../failure.ts";
import { counted } from "../human.ts";
import type { Column, Output } from "../output.ts";
import { readPages } from "../paging.ts";
import {
  countStates,
  isInTrouble,
  NODE_STATE_STYLES,
  NODE_STATES,
  renderTroubles,
  troublesOf,
} from "./node-views.ts";

interface Region {
  readonly region: string;
  readonly nodes: number;
  readonly by_state: Readonly<Record<string, number>>;
  readonly devices: number;
  readonly capacity: number;
}

export function addFleetCommand(program: CommandUnknownOpts, perform: Perform): void {
  program
    .command("fleet")
    .description("show the nodes of each region by state, and what is wrong with the worst of them")
    .option("--check", "exit code 1 when a node is offline, degraded or has a problem")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave fleet
  $ securewave fleet --check --json`,
    )
    .action(({ check = false }) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const { items } = await readPages((query) => api.nodes.list({ query }), Number.POSITIVE_INFINITY);
        const regions = regionsOf(items);
        const problems = troublesOf(items).map(({ id, name, region, state, problem }) => {
          return { id, name, region, state, problem };
        });
        out.result({ regions, problems }, () => render(out, regions, items));
        return check && items.some(isInTrouble) ? EXIT.failed : undefined;
      }),
    );
}

function regionsOf(nodes: readonly Node[]): Region[] {
  const byRegion = Map.groupBy(nodes, ({ region }) => region);
  return [...byRegion]
    .map(([region, members]) => ({
      region,
      nodes: members.length,
      by_state: Object.fromEntries(countStates(members)),
      devices: sum(members.map(({ devices }) => devices)),
      capacity: sum(members.map(({ capacity }) => capacity)),
    }))
    .sort((one, other) => one.region.localeCompare(other.region));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function render(out: Output, regions: readonly Region[], nodes: readonly Node[]): string {
  if (nodes.length === 0) return "No nodes. Add one: securewave nodes add <name>";
  const states = NODE_STATES.filter((state) => nodes.some((node) => node.state === state)).toReversed();
  const counts = `${counted(nodes.length, "node")} in ${counted(regions.length, "region")}`;
  const troubles = renderTroubles(out, nodes);
  return [out.table(columnsOf(states), regions), counts, ...(troubles === undefined ? [] : [troubles])].join(
    "\n\n",
  );
}

function columnsOf(states: readonly NodeState[]): Column<Region>[] {
  return [
    { title: "REGION", value: ({ region }) => region, style: () => "bold" },
    { title: "NODES", value: ({ nodes }) => String(nodes), align: "right" },
    ...states.map(
      (state): Column<Region> => ({
        title: state.toUpperCase(),
        value: ({ by_state }) => String(by_state[state] || "-"),
        align: "right",
        style: ({ by_state }) => (by_state[state] ? NODE_STATE_STYLES[state] : undefined),
      }),
    ),
    { title: "DEVICES", value: ({ devices, capacity }) => `${devices}/${capacity}`, align: "right" },
  ];
}
