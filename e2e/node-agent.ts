import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Node } from "@securewave/contracts";
import {
  eventually,
  type RunningProcess,
  randomSuffix,
  run,
  startProcess,
  type TemporaryDir,
  temporaryDir,
} from "@securewave/testing";
import { cleanEnvironment } from "./control-plane.ts";
import type { Person } from "./people.ts";

const ENTRY = fileURLToPath(new URL("../apps/node-agent/main.ts", import.meta.url));

export interface NodeMachine {
  readonly node: Node;
  readonly namespace: string;
  readonly interfaceName: string;
  /** The agent that runs at the moment. */
  agent(): RunningProcess;
  /** Starts the agent once more, with the command that it was started with first. */
  startAgent(): Promise<void>;
  /** Ends the agent at once; the interface stays. */
  killAgent(): Promise<void>;
  /** What `securewave-node status` says. */
  status(): Promise<unknown>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface NodeMachineOptions {
  readonly admin: Person;
  readonly namespace: string;
  /** A name to register the node by, or one that is registered with the command that was given for it. */
  readonly registered: string | { readonly node: Node; readonly command: string };
  /** Where customers reach it. */
  readonly endpoint: string;
  /** Stands in for the address in the command, where the node sees the control plane under another one. */
  readonly controlPlaneUrl?: string;
}

/** Runs the command that makes a node join, in the node's namespace, and waits until the node is healthy. */
export async function joinNode(options: NodeMachineOptions): Promise<NodeMachine> {
  const { admin, namespace, endpoint } = options;
  const { node, command } =
    typeof options.registered === "string"
      ? await registerNode(admin, options.registered)
      : options.registered;
  const dir = temporaryDir("node");
  // wireguard-go keeps the sockets of all namespaces in one folder.
  const interfaceName = `sw${randomSuffix()}`;
  const folders = ["--state-dir", join(dir.path, "state"), "--runtime-dir", join(dir.path, "runtime")];
  const args = [
    ...agentArguments(command, options),
    ...folders,
    "--interface",
    interfaceName,
    "--endpoint",
    endpoint,
  ];

  const start = () =>
    startProcess({
      command: process.execPath,
      args: [ENTRY, ...args, "--allow-plaintext"],
      namespace,
      env: cleanEnvironment(),
      readyWhen: /"interface-(created|adopted)"/,
      timeoutMs: 60_000,
    });
  let agent = await start();
  await eventually(
    async () => {
      const { state } = await admin.client.nodes.show({ params: { id: node.id } });
      if (state !== "healthy") throw new Error(`the node is ${state}`);
    },
    { timeoutMs: 15_000 },
  );
  return {
    node,
    namespace,
    interfaceName,
    agent: () => agent,
    async startAgent() {
      agent = await start();
    },
    async killAgent() {
      agent.kill("SIGKILL");
      await agent.exited;
    },
    async status() {
      const { stdout } = await run(process.execPath, [ENTRY, "status", "--json", ...folders], { namespace });
      return JSON.parse(stdout);
    },
    [Symbol.asyncDispose]: () => dispose(agent, namespace, interfaceName, dir),
  };
}

async function registerNode(admin: Person, name: string): Promise<{ node: Node; command: string }> {
  const { node, join: joining } = await admin.client.nodes.create({ body: { name, region: "Laboratory" } });
  return { node, command: joining.command };
}

/** The words behind `npx securewave-node` in the command, without the endpoint that the operator fills in. */
function agentArguments(command: string, { controlPlaneUrl }: NodeMachineOptions): string[] {
  const words = command.replace(/^npx securewave-node /, "").split(" ");
  const at = words.indexOf("--endpoint");
  if (at < 0) throw new Error("the command names no endpoint");
  words.splice(at, 2);
  if (controlPlaneUrl !== undefined) words[words.indexOf("--control-plane") + 1] = controlPlaneUrl;
  return words;
}

async function dispose(agent: RunningProcess, namespace: string, interfaceName: string, dir: TemporaryDir) {
  await agent.stop();
  // The tunnel outlives its agent; taking the interface away ends wireguard-go.
  await run("ip", ["-n", namespace, "link", "del", interfaceName]);
  dir.remove();
}
