import { rm } from "node:fs/promises";
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
  /** Where the agent keeps its keys. */
  readonly stateDir: string;
  /** What it keeps on a memory disk, where there is one. */
  readonly runtimeDir: string;
  /** The agent that runs at the moment. */
  agent(): RunningProcess;
  /** What all agents of this node have written. */
  lines(): string[];
  /**
   * Starts the agent once more, with the command that it was started with first.
   *
   * @param env in place of what it was started with
   */
  startAgent(env?: Readonly<Record<string, string>>): Promise<void>;
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
  /** In place of folders of its own below the temporary one; removed with the node. */
  readonly runtimeDir?: string;
  /** Added to the agent's environment. */
  readonly env?: Readonly<Record<string, string>>;
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
  const stateDir = join(dir.path, "state");
  const { runtimeDir = join(dir.path, "runtime") } = options;
  const folders = ["--state-dir", stateDir, "--runtime-dir", runtimeDir];
  const args = [
    ...agentArguments(command, options),
    ...folders,
    "--interface",
    interfaceName,
    "--endpoint",
    endpoint,
  ];

  const start = (env = options.env) =>
    startProcess({
      command: process.execPath,
      args: [ENTRY, ...args, "--allow-plaintext"],
      namespace,
      env: { ...cleanEnvironment(), ...env },
      readyWhen: /"interface-(created|adopted)"/,
      timeoutMs: 60_000,
    });
  let agent = await start();
  const agents = [agent];
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
    stateDir,
    runtimeDir,
    agent: () => agent,
    lines: () => agents.flatMap((one) => one.lines()),
    async startAgent(env) {
      agent = await start(env);
      agents.push(agent);
    },
    async killAgent() {
      agent.kill("SIGKILL");
      await agent.exited;
    },
    async status() {
      const { stdout } = await run(process.execPath, [ENTRY, "status", "--json", ...folders], { namespace });
      return JSON.parse(stdout);
    },
    async [Symbol.asyncDispose]() {
      await dispose(agent, namespace, interfaceName, dir);
      await rm(runtimeDir, { recursive: true, force: true });
    },
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
