/** The second process of `reaper.ts`: keeps the list of what to remove and acts when its input closes. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { sep } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { removeNamespace } from "./namespaces.ts";
import { signalGroup } from "./process-signals.ts";
import type { ReaperOrder, Remains } from "./reaper.ts";

const GRACE_MS = 3000;

// Its life ends with its input, not with a signal that was meant for the whole test run.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

const left = new Map<number, Remains>();
for await (const line of createInterface({ input: process.stdin })) {
  const order: ReaperOrder = JSON.parse(line);
  if (order.remains === undefined) left.delete(order.key);
  else left.set(order.key, order.remains);
}

const all = [...left.values()];
const pids = all.flatMap((remains) => ("pid" in remains ? [remains.pid] : []));
for (const pid of pids) signalGroup(pid, "SIGTERM");
const deadline = Date.now() + GRACE_MS;
while (Date.now() < deadline && pids.some((pid) => signalGroup(pid, 0))) await pause(50);
for (const pid of pids) signalGroup(pid, "SIGKILL");

for (const remains of all) if ("namespace" in remains) await removeNamespace(remains.namespace);
for (const remains of all) {
  if ("folder" in remains && remains.folder.startsWith(tmpdir() + sep)) {
    rmSync(remains.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
