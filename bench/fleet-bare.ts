import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freeTcpPort } from "@securewave/testing";

const SCRIPT = fileURLToPath(new URL("fleet-bare-process.ts", import.meta.url));
const PROCESSES = 4;

/**
 * Kills a server of bare WebSockets, starts one again that listens after so long as another did, and measures until the
 * last of its clients is back.
 *
 * @returns milliseconds from its listening on
 */
export async function timeBareReturn(clients: number, downMs: number): Promise<number> {
  const port = await freeTcpPort();
  const each = Math.ceil(clients / PROCESSES);
  const start = (...args: (string | number)[]) =>
    fork(SCRIPT, args.map(String), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  let server = start("server", port);
  await once(server, "message");
  let opened = 0;
  let lastMs = 0;
  let onAll = () => {};
  const groups: ChildProcess[] = [];
  const allOpen = () => {
    opened = 0;
    return new Promise<void>((resolve) => {
      onAll = resolve;
    });
  };
  try {
    const first = allOpen();
    for (let from = 0; from < clients; from += each) {
      const group = start("clients", port, Math.min(each, clients - from));
      group.on("message", (atMs) => {
        lastMs = Math.max(lastMs, Number(atMs));
        if (++opened === clients) onAll();
      });
      groups.push(group);
    }
    await first;
    const back = allOpen();
    server.kill("SIGKILL");
    await once(server, "exit");
    await pause(downMs);
    server = start("server", port);
    const [listeningMs] = await once(server, "message");
    await back;
    return lastMs - Number(listeningMs);
  } finally {
    for (const child of [server, ...groups]) child.kill("SIGKILL");
  }
}
