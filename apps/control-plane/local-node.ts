import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Config } from "./config.ts";
import type { Nodes } from "./modules/nodes/index.ts";

/** This machine as a VPN server of its own service: the ordinary node agent, as a process of its own. */
export type LocalNode =
  | { readonly state: "started" | "adopted"; stop(): Promise<void> }
  | { readonly state: "absent"; readonly reason: string };

const AGENT = fileURLToPath(import.meta.resolve("../node-agent/main.ts"));
const EARLY_EXIT_MS = 1_500;
const STOP_WITHIN_MS = 5_000;
const LOCAL_REGION = "Here";

/**
 * Starts the agent, which joins at its first start. It outlives this process when that is killed, so that
 * tunnels go on; the next start finds it running.
 */
export async function startLocalNode(config: Config, nodes: Nodes): Promise<LocalNode> {
  const { mode, name, port } = config.localNode;
  if (mode === "off") return { state: "absent", reason: "LOCAL_NODE is off." };
  if (process.platform !== "linux") return { state: "absent", reason: "A VPN server needs Linux." };
  if (process.getuid?.() !== 0)
    return { state: "absent", reason: "A VPN server needs root to make its network interface." };

  const stateDir = join(config.store.dir, "node");
  const pidPath = join(stateDir, "agent.pid");
  const running = runningAgent(pidPath);
  if (running !== undefined) return { state: "adopted", stop: () => stopAgent(running, pidPath) };

  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const host = config.localNode.host ?? firstAddress();
  const token = existsSync(join(stateDir, "identity.json")) ? undefined : await joinTokenFor(nodes, name);
  const logPath = join(stateDir, "agent.log");
  const log = openSync(logPath, "w", 0o600);
  const controlPlane = `http://127.0.0.1:${config.http.port}`;
  const options = [
    "--control-plane",
    controlPlane,
    "--endpoint",
    `${bracketed(host)}:${port}`,
    "--interface",
    `sw${name}`,
  ];
  const agent = spawn(
    process.execPath,
    [AGENT, "up", "--state-dir", stateDir, "--down-on-exit", ...options],
    {
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...process.env, ...(token === undefined ? {} : { SECUREWAVE_JOIN_TOKEN: token }) },
    },
  );
  const exited = new Promise<boolean>((resolve) => {
    agent.once("exit", () => resolve(true));
    agent.once("error", () => resolve(true));
  });
  const hasExited = await Promise.race([exited, sleep(EARLY_EXIT_MS, false)]);
  if (hasExited || agent.pid === undefined) return { state: "absent", reason: lastLine(logPath) };
  agent.unref();
  writeFileSync(pidPath, String(agent.pid), { mode: 0o600 });
  const { pid } = agent;
  return { state: "started", stop: () => stopAgent(pid, pidPath) };
}

async function joinTokenFor(nodes: Nodes, name: string): Promise<string> {
  const known = [...(await nodes.directory()).values()].find((node) => node.name === name);
  if (known) return (await nodes.renewJoinToken(known.id)).join_token;
  return (await nodes.create({ name, region: LOCAL_REGION })).join.join_token;
}

/** The first address that other machines can reach; loopback where there is none. */
function firstAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outer = addresses.filter(({ internal, address }) => !internal && !address.startsWith("fe80:"));
  return (outer.find(({ family }) => family === "IPv4") ?? outer[0])?.address ?? "127.0.0.1";
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

/** @returns the process id of an agent that an earlier start left running */
function runningAgent(pidPath: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidPath, "utf8"));
    return isAgent(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** A process id may have been given to another program since. */
function isAgent(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(AGENT);
  } catch {
    return false;
  }
}

async function stopAgent(pid: number, pidPath: string): Promise<void> {
  if (isAgent(pid)) process.kill(pid, "SIGTERM");
  for (let waitedMs = 0; isAgent(pid) && waitedMs < STOP_WITHIN_MS; waitedMs += 50) await sleep(50);
  if (isAgent(pid)) process.kill(pid, "SIGKILL");
  rmSync(pidPath, { force: true });
}

function lastLine(path: string): string {
  const lines = readFileSync(path, "utf8").trim().split("\n");
  return (
    lines.findLast((line) => line.trim() !== "" && !line.startsWith("{")) ??
    "The node agent ended. See its log."
  );
}
