import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Peer } from "@securewave/wireguard";
import type { PeerChange, WireGuardDriver } from "./driver.ts";

export interface RemoteDriver extends WireGuardDriver {
  /** Kills the process that holds the driver, as a crash of the agent would. */
  crash(): Promise<void>;
  /** Calls `reset`, and `apply` before that has ended. */
  resetAndApply(peers: readonly Peer[], change: PeerChange): Promise<void>;
}

/** A driver that works inside a network namespace, in a process of its own. */
export async function openRemoteDriver(
  namespace: string,
  kind: "userspace" | "spawned",
  runtimeDir: string,
): Promise<RemoteDriver> {
  const script = fileURLToPath(new URL("./testing-remote-process.ts", import.meta.url));
  const args = ["netns", "exec", namespace, process.execPath, script, kind, runtimeDir];
  const child = spawn("ip", args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  await once(child, "message");
  let tail: Promise<unknown> = Promise.resolve();

  async function call<Result>(method: string, ...args: unknown[]): Promise<Result> {
    const turn = tail.then(async () => {
      child.send({ method, args });
      const [answer] = await once(child, "message");
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer.result;
    });
    tail = turn.catch(() => undefined);
    return turn;
  }

  return {
    implementation: "userspace",
    open: (settings) => call("open", settings),
    read: () => call("read"),
    apply: (change) => call("apply", change),
    reports: () => call("reports"),
    reset: (peers) => call("reset", peers),
    resetAndApply: (peers, change) => call("resetAndApply", peers, change),
    detach: () => child.disconnect(),
    close: (name) => call("close", name),
    async crash() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}
