import { setTimeout as pause } from "node:timers/promises";
import { mustRun, run } from "./run-program.ts";

const GRACE_MS = 1000;

/** A machine of a ghost: a network namespace, joined to this machine's network by a cable. */
export interface GhostMachine {
  readonly namespace: string;
  /** @returns the exit code; undefined where it had to be ended */
  runInside(program: string, ...args: string[]): Promise<number | undefined>;
  remove(): Promise<void>;
}

export interface Cable {
  /** The end on this machine; at most 15 letters. */
  readonly name: string;
  /** Of both ends, in a network of 256; a cable without addresses leads nowhere. */
  readonly hostAddress?: string;
  readonly ghostAddress?: string;
}

export async function createMachine(namespace: string, cable: Cable): Promise<GhostMachine> {
  const { name, hostAddress, ghostAddress } = cable;
  const remove = async () => {
    await removeNamespace(namespace);
    await run("ip", ["link", "del", name]);
  };
  try {
    await mustRun("ip", "netns", "add", namespace);
    await mustRun("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    if (hostAddress !== undefined) await mustRun("ip", "addr", "add", `${hostAddress}/24`, "dev", name);
    await mustRun("ip", "link", "set", name, "up");
    if (ghostAddress !== undefined)
      await mustRun("ip", "-n", namespace, "addr", "add", `${ghostAddress}/24`, "dev", "eth0");
    for (const link of ["lo", "eth0"]) await mustRun("ip", "-n", namespace, "link", "set", link, "up");
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    namespace,
    runInside: async (program, ...args) =>
      (await run("ip", ["netns", "exec", namespace, program, ...args])).code,
    remove,
  };
}

/** Ends all programs in a namespace and removes it with its interfaces. */
export async function removeNamespace(namespace: string): Promise<void> {
  const pids = async () =>
    (await run("ip", ["netns", "pids", namespace])).stdout.split("\n").filter(Boolean).map(Number);
  const signal = async (name: "SIGTERM" | "SIGKILL") => {
    for (const pid of await pids()) {
      try {
        process.kill(pid, name);
      } catch {
        // it has ended meanwhile
      }
    }
  };
  await signal("SIGTERM");
  for (let waitedMs = 0; waitedMs < GRACE_MS && (await pids()).length > 0; waitedMs += 50) await pause(50);
  await signal("SIGKILL");
  await run("ip", ["netns", "del", namespace]);
}
