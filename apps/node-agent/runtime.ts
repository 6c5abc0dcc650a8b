import { rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import type { AgentStatus } from "./agent.ts";
import { AgentError } from "./errors.ts";
import { makeStateDir } from "./identity.ts";

const ANSWER_TIMEOUT_MS = 2000;

/** On a memory disk: what is in it must not outlive the machine. */
export const DEFAULT_RUNTIME_DIR = "/run/securewave-node";

export function stateFilePath(runtimeDir: string, interfaceName: string): string {
  return join(runtimeDir, `${interfaceName}.json`);
}

function socketPath(runtimeDir: string, interfaceName: string): string {
  return join(runtimeDir, `${interfaceName}.sock`);
}

/**
 * Makes this process the one agent of an interface, and answers those who ask for its status.
 *
 * @throws AgentError when another agent runs
 */
export async function claimInterface(
  runtimeDir: string,
  interfaceName: string,
  status: () => AgentStatus,
): Promise<{ release(): Promise<void> }> {
  await makeStateDir(runtimeDir);
  const path = socketPath(runtimeDir, interfaceName);
  if ((await askStatus(runtimeDir, interfaceName)) !== undefined) {
    throw new AgentError(`Another agent holds ${interfaceName} already. See: securewave-node status`);
  }
  // Left behind by an agent that was killed.
  await rm(path, { force: true });
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(JSON.stringify(status()));
  });
  await listen(server, path);
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", () => reject(new AgentError(`The socket ${path} cannot be made.`)));
    server.listen(path, () => resolve());
  });
}

/** What the running agent says of itself; undefined when none runs. */
export async function askStatus(runtimeDir: string, interfaceName: string): Promise<unknown> {
  return new Promise((resolve) => {
    const socket = connect(socketPath(runtimeDir, interfaceName));
    const chunks: Buffer[] = [];
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy());
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => resolve(undefined));
    socket.on("close", () => resolve(parseStatus(Buffer.concat(chunks).toString("utf8"))));
  });
}

function parseStatus(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
