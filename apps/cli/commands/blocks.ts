import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { Block } from "@securewave/contracts";
import { SECOND_MS } from "@securewave/foundation";
import { asksFirst, lists } from "../acts.ts";
import type { Call, Perform } from "../call.ts";
import { duration } from "../duration.ts";
import { humanDuration } from "../human.ts";
import type { Column } from "../output.ts";
import { findBlock } from "../resolve.ts";

/** As the contract has it: a week. */
const MINUTES_MAX = 10_080;
const MINUTES_DEFAULT = 60;

const REASONS: Readonly<Record<Block["reason"], string>> = {
  violations: "too many refused requests",
  failed_log_ins: "too many failed log-ins",
  staff: "blocked by staff",
};

export function addBlockCommands(program: CommandUnknownOpts, perform: Perform): void {
  const blocks = program
    .command("blocks")
    .description("origins that are let in no more for a while; for support agents and admins");
  addListCommand(blocks, perform);
  addAddCommand(blocks, perform);
  addLiftCommand(blocks, perform);
}

function addListCommand(blocks: CommandUnknownOpts, perform: Perform): void {
  const command = blocks
    .command("list")
    .description("list blocked origins and networks, the newest first")
    .addHelpText(
      "after",
      `
An origin that was blocked by itself stands here under its pseudonym of the day: no address is kept.

Examples:
  $ securewave blocks list
  $ securewave blocks list --all --json`,
    );
  lists(command, perform, {
    noun: "block",
    none: "Nobody is blocked.",
    open: (api) => (query) => api.blocks.list({ query }),
    columns: blockColumns,
  });
}

function addAddCommand(blocks: CommandUnknownOpts, perform: Perform): void {
  blocks
    .command("add")
    .description("refuse an address or a network for a while")
    .argument("<network>", "such as 203.0.113.7 or 2001:db8::/48")
    .addOption(
      new Option("-f, --for <duration>", "how long: 30m, 1h, 7d at most")
        .default(MINUTES_DEFAULT, "1h")
        .argParser(duration("m", MINUTES_MAX)),
    )
    .addHelpText(
      "after",
      `
Everybody behind it is refused until the block ends: think of offices and mobile networks.

Examples:
  $ securewave blocks add 203.0.113.7
  $ securewave blocks add 2001:db8::/48 --for 7d`,
    )
    .action((network, options) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const block = await api.blocks.add({ body: { network, minutes: options.for } });
        out.result(block, () => `${block.origin} is blocked for ${humanDuration(options.for * 60)}.`);
      }),
    );
}

function addLiftCommand(blocks: CommandUnknownOpts, perform: Perform): void {
  const command = blocks
    .command("lift")
    .description("let a blocked origin or network in again at once")
    .argument("<block>", "what is blocked, the id of the block, or the beginning of either")
    .addHelpText(
      "after",
      `
It asks only where the origin was blocked by itself: such a block cannot be put back by hand.

Examples:
  $ securewave blocks lift 203.0.113.0/24
  $ securewave blocks lift blk_0123456789abcdefghjk --yes`,
    );
  asksFirst(command, perform, {
    find: findBlock,
    question: ({ kind, origin, reason }) =>
      kind === "origin"
        ? `Let ${origin} in again (${REASONS[reason]})? It cannot be blocked by hand.`
        : undefined,
    async act(api, block) {
      await api.blocks.lift({ params: { id: block.id } });
      return block;
    },
    done: ({ origin }) => `The block of ${origin} is lifted.`,
  });
}

function blockColumns({ nowMs }: Call): Column<Block>[] {
  return [
    { title: "BLOCKED", value: (block) => block.origin, style: () => "bold" },
    { title: "KIND", value: ({ kind }) => (kind === "network" ? "network" : "origin of the day") },
    { title: "REASON", value: ({ reason }) => REASONS[reason] },
    { title: "ENDS IN", value: ({ until }) => humanDuration(secondsUntil(until, nowMs)), align: "right" },
    { title: "ID", value: (block) => block.id, style: () => "dim" },
  ];
}

function secondsUntil(instant: string, nowMs: number): number {
  return Math.max(0, (Date.parse(instant) - nowMs) / SECOND_MS);
}
