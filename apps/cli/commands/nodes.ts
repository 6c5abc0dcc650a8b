import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { Node } from "@securewave/contracts";
import { lists } from "../acts.ts";
import type { Perform } from "../call.ts";
import { EXIT, usageError } from "../failure.ts";
import { type ReadFound, searchOption } from "../options.ts";
import { readPages } from "../paging.ts";
import { BY_NAME, showNode } from "../resolve.ts";
import { addNodeChangeCommands } from "./node-change.ts";
import { addNodeDrainCommands } from "./node-drain.ts";
import { addNodeHealthCommand } from "./node-health.ts";
import { addNodeJoinCommands } from "./node-join.ts";
import { isInTrouble, NODE_STATES, nodeColumns, nodeFields, REMOVED_NODE_COLUMNS } from "./node-views.ts";

export function addNodeCommands(program: CommandUnknownOpts, perform: Perform): void {
  const nodes = program.command("nodes").description("VPN servers");
  addListCommand(nodes, perform);
  addShowCommand(nodes, perform);
  addNodeHealthCommand(nodes, perform);
  addNodeJoinCommands(nodes, perform);
  addNodeDrainCommands(nodes, perform);
  addNodeChangeCommands(nodes, perform);
}

interface Filter {
  readonly state?: string;
  readonly region?: string;
  readonly removed?: true;
  readonly check?: true;
}

function addListCommand(nodes: CommandUnknownOpts, perform: Perform): void {
  const list = nodes
    .command("list")
    .description("list nodes by name; with --check the exit code tells whether one is in trouble")
    .addOption(searchOption())
    .addOption(new Option("--state <state>", "all that are in this state").choices(NODE_STATES))
    .option("-r, --region <region>", "all of this region")
    .option("--removed", "those that were removed, and only those")
    .option("--check", "all; exit code 1 when one of them is offline, degraded or has a problem")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave nodes list
  $ securewave nodes list --region Frankfurt --state degraded
  $ securewave nodes list --search us- --all --json
  $ securewave nodes list --check > /dev/null || echo "See to the nodes"`,
    );
  lists(list, perform, {
    noun: "node",
    none: ({ removed, ...filter }) =>
      removed || isNarrow(filter) ? "No such nodes." : "No nodes. Add one: securewave nodes add <name>",
    open(api, filter) {
      const { removed } = filter;
      if (removed && (filter.check || filter.state !== undefined))
        throw usageError("Nodes that were removed have neither state nor trouble.", "Leave --removed away.");
      const read: ReadFound<Node> = (query) =>
        api.nodes.list({ query: { ...query, ...(removed && { removed }) } });
      return isNarrow(filter) ? readsWhole(read, filter) : read;
    },
    columns: (_call, items, { removed }) => (removed ? REMOVED_NODE_COLUMNS : nodeColumns(items)),
    exit: (items, { check }) => (check && items.some(isInTrouble) ? EXIT.failed : undefined),
  });
}

function isNarrow({ state, region, check }: Filter): boolean {
  return state !== undefined || region !== undefined || check === true;
}

/** The service finds nodes by name only: to find them by what they are, all are read. */
function readsWhole(read: ReadFound<Node>, { state, region }: Filter): ReadFound<Node> {
  return async ({ search }) => {
    const found = search === undefined ? {} : { search };
    const { items } = await readPages((page) => read({ ...page, ...found }), Number.POSITIVE_INFINITY);
    const wantedRegion = region?.toLowerCase();
    return {
      items: items.filter(
        (node) =>
          (state === undefined || node.state === state) &&
          (wantedRegion === undefined || node.region.toLowerCase() === wantedRegion),
      ),
      next_cursor: null,
    };
  };
}

function addShowCommand(nodes: CommandUnknownOpts, perform: Perform): void {
  nodes
    .command("show")
    .description("show a node and how it is at this moment")
    .argument("<node>", BY_NAME)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave nodes show US-East-1`,
    )
    .action((name) =>
      perform(async ({ client, out, nowMs }) => {
        const node = await showNode(await client(), name);
        out.result(node, () => out.fields(nodeFields(out, node, nowMs)));
      }),
    );
}
