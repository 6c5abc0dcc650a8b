import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Config } from "./config.ts";
import type { Nodes } from "./modules/nodes/index.ts";

/** This machine as a VPN server of its own service: the ordinary node agent, as a process of its own. */
export type LocalNode =
  | {
      readonly state: "started" | "adopted";
      /** Why it does not serve yet; the agent goes on trying. */
      readonly problem?: string;
    }
  | { readonly state: "absent"; readonly reason: string };

const AGENT = fileURLToPath(import.meta.resolve("../node-agent/main.ts"));
/** How long the agent may take to make its interface or to find that it cannot. */
const SETTLE_WITHIN_MS = 15_000;
/** What it logs once its interface is there, or when it goes on trying. */
const SETTLED = /"(?:interface-created|interface-adopted|failing)"(?:,"why":"([^"]+)")?/;
const STOP_WITHIN_MS = 5_000;
const LOCAL_REGION = "This machine";
/** What a machine that also does other work may keep as it is: a VPN server by itself demands them too. */
export const ACCEPTED_BY_LOCAL_NODE = "swap,crash-kernel,journald,rsyslog";

/**
 * Starts the agent, which joins at its first start, and anew when what it joined with has changed. It outlives this
 * process when that is killed, so that tunnels go on; the next start finds it running.
 */
export async function startLocalNode(config: Config, nodes: Nodes): Promise<LocalNode> {
  const { mode, name, port } = config.localNode;
  if (mode === "off") return { state: "absent", reason: "LOCAL_NODE is off." };
  if (process.platform !== "linux") return { state: "absent", reason: "A VPN server needs Linux." };
  if (process.getuid?.() !== 0)
    return { state: "absent", reason: "A VPN server needs root to make its network interface." };

  const { stateDir, pidPath, joinedWithPath, logPath } = pathsOf(config);
  const host = config.localNode.host ?? firstAddress();
  const controlPlane = `http://127.0.0.1:${config.http.port}`;
  const options = [
    ...["--control-plane", controlPlane],
    ...["--endpoint", `${bracketed(host)}:${port}`],
    ...["--interface", `sw${name}`],
  ];
  const hasJoined =
    readText(joinedWithPath) === options.join(" ") &&
    (await isKnown(readText(join(stateDir, "node.json")), nodes));
  if (runningAgent(pidPath) !== undefined) {
    if (hasJoined) return { state: "adopted" };
    await stopLocalNode(config);
  }

  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const joining = hasJoined ? [] : ["--replace"];
  const token = hasJoined ? {} : { SECUREWAVE_JOIN_TOKEN: await joinTokenFor(nodes, name, controlPlane) };
  const log = openSync(logPath, "w", 0o600);
  const agent = spawn(
    process.execPath,
    [
      AGENT,
      "up",
      "--state-dir",
      stateDir,
      "--accept",
      ACCEPTED_BY_LOCAL_NODE,
      "--down-on-exit",
      ...options,
      ...joining,
    ],
    { detached: true, stdio: ["ignore", log, log], env: { ...process.env, ...token } },
  );
  closeSync(log);
  // At once, so that a start that ends here leaves no agent that the next one does not know.
  if (agent.pid !== undefined) writeFileSync(pidPath, String(agent.pid), { mode: 0o600 });
  const exited = new Promise<void>((resolve) => {
    agent.once("exit", () => resolve());
    agent.once("error", () => resolve());
  });
  const outcome = await Promise.race([exited.then(() => "ended" as const), settle(logPath)]);
  if (outcome === "ended") return { state: "absent", reason: lastLine(logPath) };
  agent.unref();
  writeFileSync(joinedWithPath, options.join(" "), { mode: 0o600 });
  return { state: "started", ...outcome };
}

/** Waits until the agent has made its interface, or has failed and goes on trying. */
async function settle(logPath: string): Promise<{ problem?: string }> {
  for (let waitedMs = 0; waitedMs < SETTLE_WITHIN_MS; waitedMs += 50) {
    const [settled, problem] = SETTLED.exec(readText(logPath) ?? "") ?? [];
    if (settled !== undefined) return problem === undefined ? {} : { problem };
    await sleep(50);
  }
  return { problem: "Its agent is still starting." };
}

/** Ends the agent, if one runs, and takes its interface down. */
export async function stopLocalNode(config: Config): Promise<void> {
  const { pidPath } = pathsOf(config);
  const pid = runningAgent(pidPath);
  if (pid === undefined) return;
  process.kill(pid, "SIGTERM");
  for (let waitedMs = 0; isAgent(pid) && waitedMs < STOP_WITHIN_MS; waitedMs += 50) await sleep(50);
  if (isAgent(pid)) process.kill(pid, "SIGKILL");
  rmSync(pidPath, { force: true });
}

function pathsOf(config: Config) {
  const stateDir = join(config.store.dir, "node");
  return {
    stateDir,
    pidPath: join(stateDir, "agent.pid"),
    joinedWithPath: join(stateDir, "joined-with"),
    logPath: join(stateDir, "agent.log"),
  };
}

/** Whether the identity that the agent keeps is that of a node of this service. */
async function isKnown(identity: string | undefined, nodes: Nodes): Promise<boolean> {
  const nodeId = /"node_id":\s*"([^"]+)"/.exec(identity ?? "")?.[1];
  return nodeId !== undefined && (await nodes.directory()).has(nodeId);
}

async function joinTokenFor(nodes: Nodes, name: string, controlPlane: string): Promise<string> {
  const known = [...(await nodes.directory()).values()].find((node) => node.name === name);
  if (known) return (await nodes.renewJoinToken(known.id, controlPlane, "system")).join_token;
  return (await nodes.create({ name, region: LOCAL_REGION }, controlPlane, "system")).join.join_token;
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

function readText(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

function lastLine(path: string): string {
  const lines = (readText(path) ?? "").trim().split("\n");
  return (
    lines.findLast((line) => line.trim() !== "" && !line.startsWith("{")) ??
    "The node agent ended. See its log."
  );
}
