import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What the reaper can remove: a process (its group too), a network namespace, a folder below the system's temporary one. */
export type Remains = { pid: number } | { namespace: string } | { folder: string };

/** One line to the reaper, as JSON. */
export interface ReaperOrder {
  key: number;
  /** Absent when the thing is gone already. */
  remains?: Remains;
}

let reaper: ChildProcess | undefined;
let lastKey = 0;

/**
 * Makes sure that something is removed when this process ends, however it ends.
 *
 * A second process holds the list and acts when its input closes, so that SIGKILL, a crash or a test runner
 * that ends its workers leaves nothing behind.
 *
 * @returns to be called once the thing is removed
 */
export function leaveToReaper(remains: Remains): () => void {
  const key = ++lastKey;
  send({ key, remains });
  return () => send({ key });
}

function send(order: ReaperOrder): void {
  reaper ??= startReaper();
  reaper.stdin?.write(`${JSON.stringify(order)}\n`);
}

/** The reaper has its own session, so that a signal to this process's group does not end it too. */
function startReaper(): ChildProcess {
  const script = fileURLToPath(new URL("./reaper-process.ts", import.meta.url));
  const child = spawn(process.execPath, [script], { detached: true, stdio: ["pipe", "ignore", "inherit"] });
  child.unref();
  // A pipe is a socket underneath, and only a socket can be kept from holding the event loop open.
  const { stdin } = child;
  if (stdin !== null && "unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  stdin?.on("error", () => {
    // The reaper is gone; there is nobody left to tell.
  });
  return child;
}
