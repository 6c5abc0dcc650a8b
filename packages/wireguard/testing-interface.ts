/** Real WireGuard for tests: an interface of wireguard-go, which lives until it is closed. */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectUapi, type UapiClient } from "./uapi.ts";

export type TestInterface = {
  readonly name: string;
  readonly socketPath: string;
  readonly uapi: UapiClient;
  close(): Promise<void>;
};

/** What keeps the tests with real WireGuard from running; undefined when nothing does. */
export const wireguardMissing: string | undefined = missing();

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  if (!existsSync("/dev/net/tun")) return "needs /dev/net/tun";
  const program = ["wireguard-go", "wg", "wg-quick", "ip"].find((name) => !hasProgram(name));
  return program && `needs the program ${program}`;
}

/** Whether a program of that name can be run. */
export function hasProgram(name: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The name of a test, with the reason when it will be skipped. */
export function withWireguard(name: string): string {
  return wireguardMissing === undefined ? name : `${name} (skipped: ${wireguardMissing})`;
}

/**
 * Starts an interface that is up, without a key, on a port of the system's choosing.
 *
 * @param namespace where packages come out of the tunnel; the port stays in the namespace of this process
 */
export async function openTestInterface(namespace?: string): Promise<TestInterface> {
  const name = `swt${randomBytes(5).toString("hex")}`;
  const socketPath = `/var/run/wireguard/${name}.sock`;
  const child = spawn("wireguard-go", ["-f", name], {
    env: { ...process.env, LOG_LEVEL: "silent", WG_PROCESS_FOREGROUND: "1" },
    stdio: "ignore",
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const uapi = connectUapi(socketPath);

  async function close(): Promise<void> {
    uapi.close();
    child.kill("SIGTERM");
    await exited;
  }

  try {
    for (let attempt = 0; !existsSync(socketPath); attempt++) {
      if (attempt === 500 || child.exitCode !== null) throw new Error("wireguard-go did not start");
      await sleep(10);
    }
    if (namespace !== undefined) execFileSync("ip", ["link", "set", name, "netns", namespace]);
    const where = namespace === undefined ? [] : ["-n", namespace];
    execFileSync("ip", [...where, "link", "set", name, "up"]);
    return { name, socketPath, uapi, close };
  } catch (error) {
    await close();
    throw error;
  }
}
