import { cp, readFile, rm, writeFile } from "node:fs/promises";
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
  /** Has the machine join anew by another command, with the same WireGuard key and a new credential. */
  rejoin(command: string): Promise<void>;
  /** Ends the agent at once; the interface stays. */
  killAgent(): Promise<void>;
  /** What `securewave-node status` says. */
  status(): Promise<unknown>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Registered {
  readonly node: Node;
  readonly command: string;
}

export interface NodeMachineOptions {
  readonly admin: Person;
  readonly namespace: string;
  /** A name to register the node by, or one that is registered with the command that was given for it. */
  readonly registered: string | Registered;
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
  const place = [...folders, "--interface", interfaceName, "--endpoint", endpoint, "--allow-plaintext"];

  const start = (env = options.env, words = joinArguments(command, options.controlPlaneUrl)) =>
    startProcess({
      command: process.execPath,
      args: [ENTRY, "up", ...words, ...place],
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
    async rejoin(again) {
      await agent.stop();
      agent = await start(options.env, [...joinArguments(again, options.controlPlaneUrl), "--replace"]);
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

export async function registerNode(
  admin: Person,
  name: string,
  place: { readonly region: string; readonly latitude?: number; readonly longitude?: number } = {
    region: "Laboratory",
  },
): Promise<Registered> {
  const { node, join: joining } = await admin.client.nodes.create({ body: { name, ...place } });
  return { node, command: joining.command };
}

/** What the agent is told, by the command that an operator is shown. */
function joinArguments(command: string, controlPlaneUrl: string | undefined): string[] {
  const token = /--token (\S+)/.exec(command)?.[1];
  const origin = /https?:\/\/[^\s/]+/.exec(command)?.[0];
  if (token === undefined || origin === undefined)
    throw new Error("the command names no token or no service");
  return ["--control-plane", controlPlaneUrl ?? origin, "--token", token];
}

/** Starts an agent elsewhere on a copy of a node's keys, as a cloned disk has them. */
export async function startClone(
  { stateDir }: NodeMachine,
  namespace: string,
): Promise<Pick<RunningProcess, "lines"> & AsyncDisposable> {
  const dir = temporaryDir("clone");
  const [copyDir, interfaceName] = [join(dir.path, "state"), `sw${randomSuffix()}`];
  await cp(stateDir, copyDir, { recursive: true });
  const identityPath = join(copyDir, "node.json");
  const identity = JSON.parse(await readFile(identityPath, "utf8"));
  await writeFile(identityPath, JSON.stringify({ ...identity, interface: interfaceName }), { mode: 0o600 });
  const agent = await startProcess({
    command: process.execPath,
    args: [ENTRY, "run", "--state-dir", copyDir, "--runtime-dir", join(dir.path, "runtime")],
    namespace,
    env: cleanEnvironment(),
  });
  return {
    lines: agent.lines,
    [Symbol.asyncDispose]: () => dispose(agent, namespace, interfaceName, dir),
  };
}

async function dispose(agent: RunningProcess, namespace: string, interfaceName: string, dir: TemporaryDir) {
  await agent.stop();
  // The tunnel outlives its agent; taking the interface away ends wireguard-go.
  await run("ip", ["-n", namespace, "link", "del", interfaceName]);
  dir.remove();
}
