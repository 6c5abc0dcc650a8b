import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Client, Node } from "@securewave/contracts";
import { asksFirst, lists } from "../acts.ts";
import { given, type Perform } from "../call.ts";
import { usageError } from "../failure.ts";
import { humanDuration } from "../human.ts";
import { commaList, decimal, integer, searchOption } from "../options.ts";
import { BY_NAME, resolveNode } from "../resolve.ts";
import { NODE_COLUMNS, nodeFields } from "./node-views.ts";

const CAPACITY_MAX = 1_000_000;

export function addNodeCommands(program: CommandUnknownOpts, perform: Perform): void {
  const nodes = program.command("nodes").description("VPN servers");
  addReadCommands(nodes, perform);
  addJoinCommands(nodes, perform);
  addDrainCommand(nodes, perform, {
    name: "drain",
    description: "give a node no new devices",
    draining: true,
    done: "gets no new devices; those it has stay",
  });
  addDrainCommand(nodes, perform, {
    name: "undrain",
    description: "give a node new devices again",
    draining: false,
    done: "gets new devices again",
  });
  addEditCommand(nodes, perform);
  addRemoveCommand(nodes, perform);
}

function addReadCommands(nodes: CommandUnknownOpts, perform: Perform): void {
  const list = nodes
    .command("list")
    .description("list nodes by name")
    .addOption(searchOption())
    .addHelpText(
      "after",
      `
Examples:
  $ securewave nodes list
  $ securewave nodes list --search us- --all --json`,
    );
  lists(list, perform, {
    noun: "node",
    none: "No nodes. Add one: securewave nodes add <name>",
    open: (api) => (query) => api.nodes.list({ query }),
    columns: () => NODE_COLUMNS,
  });

  nodes
    .command("show")
    .description("show a node")
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

function addJoinCommands(nodes: CommandUnknownOpts, perform: Perform): void {
  nodes
    .command("add")
    .description("register a node and get the command that joins it")
    .argument("<name>", "letters, digits and hyphens")
    .requiredOption("-r, --region <region>", "where it stands, for people")
    .option("--latitude <degrees>", "-90 to 90", decimal(-90, 90))
    .option("--longitude <degrees>", "-180 to 180", decimal(-180, 180))
    .option("-c, --capacity <devices>", "devices it may hold", integer(1, CAPACITY_MAX))
    .option("-t, --tags <tags>", "words with commas between", commaList)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave nodes add US-East-1 --region "US East"
  $ securewave nodes add FRA-2 --region Frankfurt --capacity 5000 --tags eu,streaming`,
    )
    .action((name, options) =>
      perform(async ({ client, out }) => {
        const { nodes: api } = await client();
        const { region, ...rest } = options;
        const added = await api.create({ body: { name, region, ...given(rest) } });
        out.result(added, () => `Added ${added.node.name}.\n\n${joinAdvice(added.join)}`);
      }),
    );

  nodes
    .command("join-token")
    .description("make a fresh join token; using it replaces the node's credential")
    .argument("<node>", BY_NAME)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave nodes join-token US-East-1`,
    )
    .action((name) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const join = await api.nodes.renewJoinToken({ params: { id: await resolveNode(api, name) } });
        out.result(join, () => joinAdvice(join));
      }),
    );
}

function addDrainCommand(
  nodes: CommandUnknownOpts,
  perform: Perform,
  kind: { name: string; description: string; draining: boolean; done: string },
): void {
  nodes
    .command(kind.name)
    .description(kind.description)
    .argument("<node>", BY_NAME)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave nodes ${kind.name} US-East-1`,
    )
    .action((name) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const id = await resolveNode(api, name);
        const node = await api.nodes.change({ params: { id }, body: { draining: kind.draining } });
        out.result(node, () => `${node.name} ${kind.done}.`);
      }),
    );
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

function addRemoveCommand(nodes: CommandUnknownOpts, perform: Perform): void {
  const command = nodes
    .command("remove")
    .description("remove a node that holds no devices")
    .argument("<node>", BY_NAME)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave nodes remove US-East-1
  $ securewave nodes remove US-East-1 --yes`,
    );
  asksFirst(command, perform, {
    find: showNode,
    question: ({ name }) => `Remove the node ${name}? Its credential ends.`,
    async act(api, { id }) {
      await api.nodes.remove({ params: { id } });
      return { removed: id };
    },
    done: (_, { name }) => `Removed ${name}.`,
  });
}

async function showNode(api: Client, name: string): Promise<Node> {
  return api.nodes.show({ params: { id: await resolveNode(api, name) } });
}

function joinAdvice(join: { readonly command: string; readonly expires_in: number }): string {
  return `Run this on the VPN server within ${humanDuration(join.expires_in)}; it works once:\n\n  ${join.command}`;
}
