import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { api, ResultOf } from "@securewave/contracts";
import { given, type Perform } from "../call.ts";
import { humanDuration } from "../human.ts";
import { commaList, decimal, integer } from "../options.ts";
import { BY_NAME, resolveNode } from "../resolve.ts";
import { CAPACITY_MAX } from "./node-change.ts";

type Join = ResultOf<typeof api.nodes.renewJoinToken>;

export function addNodeJoinCommands(nodes: CommandUnknownOpts, perform: Perform): void {
  nodes
    .command("add")
    .description("register a node and get the command that installs it")
    .argument("<name>", "letters, digits and hyphens")
    .requiredOption("-r, --region <region>", "where it stands, for people")
    .option("--latitude <degrees>", "-90 to 90", decimal(-90, 90))
    .option("--longitude <degrees>", "-180 to 180", decimal(-180, 180))
    .option("-c, --capacity <devices>", "devices it may hold", integer(1, CAPACITY_MAX))
    .option("-t, --tags <tags>", "words with commas between: only plans with all of them use it", commaList)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave nodes add US-East-1 --region "US East" --latitude 40.7 --longitude -74
  $ securewave nodes add FRA-2 --region Frankfurt --capacity 5000 --tags streaming`,
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
    .alias("token")
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

function joinAdvice({ command, checksum, expires_in }: Join): string {
  return [
    `Run this on the VPN server within ${humanDuration(expires_in)}; it works once:\n\n  ${command}`,
    `SHA-256 of the script that it fetches:\n\n  ${checksum}`,
  ].join("\n\n");
}
