import { setTimeout as pause } from "node:timers/promises";
import { type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { Client, Node } from "@securewave/contracts";
import type { Call, Perform } from "../call.ts";
import { duration } from "../duration.ts";
import { CliError } from "../failure.ts";
import { counted, humanDuration } from "../human.ts";
import { plain } from "../output.ts";
import { createProgress } from "../progress.ts";
import { BY_NAME, resolveNode } from "../resolve.ts";

const LOOK_AGAIN_SECONDS = 1;
const WAIT_SECONDS_DEFAULT = 3600;
const WAIT_SECONDS_MAX = 86_400;

export function addNodeDrainCommands(nodes: CommandUnknownOpts, perform: Perform): void {
  nodes
    .command("drain")
    .description("move a node's devices to others and give it no new ones; former configs work seven days")
    .argument("<node>", BY_NAME)
    .option("-w, --wait", "wait until it holds no devices")
    .addOption(
      new Option("--timeout <duration>", "with --wait: give up after so long: 90s, 30m, 2h")
        .default(WAIT_SECONDS_DEFAULT, "1h")
        .argParser(duration("s", WAIT_SECONDS_MAX)),
    )
    .addHelpText(
      "after",
      `
Owners are told by mail which of their devices have a new configuration.

Examples:
  $ securewave nodes drain US-East-1
  $ securewave nodes drain US-East-1 --wait --timeout 30m && securewave nodes show US-East-1`,
    )
    .action((name, { wait = false, timeout }) =>
      perform(async (call) => {
        const api = await call.client();
        const id = await resolveNode(api, name);
        const begun = await api.nodes.change({ params: { id }, body: { draining: true } });
        const node = wait ? await waitUntilEmpty(call, api, begun, timeout) : begun;
        call.out.result(node, () => drainText(node));
      }),
    );

  nodes
    .command("undrain")
    .description("give a node new devices again; those that were moved stay where they are")
    .argument("<node>", BY_NAME)
    .addHelpText(
      "after",
      `
Examples:
  $ securewave nodes undrain US-East-1`,
    )
    .action((name) =>
      perform(async ({ client, out }) => {
        const api = await client();
        const id = await resolveNode(api, name);
        const node = await api.nodes.change({ params: { id }, body: { draining: false } });
        out.result(node, () => `${node.name} gets new devices again.`);
      }),
    );
}

/** @throws CliError `cli.still_draining`, `cli.draining_ended` */
async function waitUntilEmpty(call: Call, api: Client, begun: Node, timeoutSeconds: number): Promise<Node> {
  const progress = createProgress(call, `${begun.name} moves ${counted(begun.devices, "device")}`);
  let node = begun;
  try {
    for (let waited = 0; node.devices > 0; waited += LOOK_AGAIN_SECONDS) {
      if (waited >= timeoutSeconds) throw stillDraining(node, timeoutSeconds);
      progress.show(1 - node.devices / Math.max(begun.devices, node.devices));
      await pause(LOOK_AGAIN_SECONDS * 1000);
      node = await api.nodes.show({ params: { id: begun.id } });
      if (node.state === "healthy" || node.state === "removed") throw drainingEnded(node);
    }
  } finally {
    progress.end();
  }
  return node;
}

function stillDraining({ name, devices, problem }: Node, timeoutSeconds: number): CliError {
  const why = problem === null ? "" : ` ${plain(problem)}`;
  return new CliError(
    "cli.still_draining",
    `${name} still holds ${counted(devices, "device")} after ${humanDuration(timeoutSeconds)}.${why}`,
    { next: `It goes on draining. See how far it is: securewave nodes show ${name}` },
  );
}

function drainingEnded({ name, devices }: Node): CliError {
  return new CliError(
    "cli.draining_ended",
    `${name} drains no more, and still holds ${counted(devices, "device")}.`,
    { next: "Somebody ended it. See the trail: securewave audit list" },
  );
}

function drainText({ name, devices, former_places_until: until }: Node): string {
  const former = until === null ? "" : ` Former configurations work until the end of ${until} (UTC).`;
  if (devices > 0)
    return `${name} gives its ${counted(devices, "device")} to other nodes and gets no new ones.${former}\nSee how far it is: securewave nodes drain ${name} --wait`;
  const next = until === null ? `It can go: securewave nodes remove ${name}` : "It can go after that day.";
  return `${name} holds no devices and gets no new ones.${former}\n${next}`;
}
