import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { asksFirst } from "../acts.ts";
import { given, type Perform } from "../call.ts";
import { usageError } from "../failure.ts";
import { commaList, decimal, integer } from "../options.ts";
import { BY_NAME, resolveNode, showNode } from "../resolve.ts";
import { nodeFields } from "./node-views.ts";

/** As the contract has it. */
export const CAPACITY_MAX = 1_000_000;

export function addNodeChangeCommands(nodes: CommandUnknownOpts, perform: Perform): void {
  addEditCommand(nodes, perform);
  addTrustCommand(nodes, perform);
  addRemoveCommand(nodes, perform);
}

function addEditCommand(nodes: CommandUnknownOpts, perform: Perform): void {
  nodes
    .command("edit")
    .description("change what is known of a node; what is not named stays")
    .argument("<node>", BY_NAME)
    .option("--name <name>", "letters, digits and hyphens")
    .option("-r, --region <region>", "where it stands, for people")
    .option("--latitude <degrees>", "-90 to 90", decimal(-90, 90))
    .option("--longitude <degrees>", "-180 to 180", decimal(-180, 180))
    .option("-c, --capacity <devices>", "devices it may hold", integer(1, CAPACITY_MAX))
    .option("-t, --tags <tags>", "words with commas between, in place of those it has", commaList)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave nodes edit US-East-1 --capacity 20000
  $ securewave nodes edit us --name US-East-2 --tags us,fast`,
    )
    .action((name, options) =>
      perform(async ({ client, out, nowMs }) => {
        const body = given(options);
        if (Object.keys(body).length === 0)
          throw usageError("Say what is to change.", "Add --help to see the options.");
        const api = await client();
        const node = await api.nodes.change({ params: { id: await resolveNode(api, name) }, body });
        out.result(node, () => out.fields(nodeFields(out, node, nowMs)));
      }),
    );
}

function addTrustCommand(nodes: CommandUnknownOpts, perform: Perform): void {
  nodes
    .command("trust")
    .description("end a node's quarantine; it counts anew from here on")
    .argument("<node>", BY_NAME)
    .addHelpText(
      "after",
      `
Look into the machine first: it reported figures that cannot be.

Examples:
  $ securewave nodes trust US-East-1`,
    )
    .action((name) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const node = await api.nodes.trust({ params: { id: await resolveNode(api, name) } });
        out.result(node, () => `${node.name} is trusted again.`);
      }),
    );
}

function addRemoveCommand(nodes: CommandUnknownOpts, perform: Perform): void {
  const command = nodes
    .command("remove")
    .description("remove a node that holds no devices; its agent takes the tunnels down")
    .argument("<node>", BY_NAME)
    .option("--now", "also while devices that were moved away can still use it")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave nodes drain US-East-1 --wait
  $ securewave nodes remove US-East-1
  $ securewave nodes remove US-East-1 --now --yes`,
    );
  asksFirst(command, perform, {
    find: showNode,
    question({ name, former_places_until: until }, { now = false }) {
      const ending =
        until !== null && now ? ` Former configurations that work until ${until} end at once.` : "";
      return `Remove the node ${name}? Its agent takes the tunnels down and its credential ends.${ending}`;
    },
    async act(api, { id }, { now = false }) {
      await api.nodes.remove({ params: { id }, ...(now && { query: { now } }) });
      return { removed: id };
    },
    done: (_, { name }) => `Removed ${name}.`,
  });
}
