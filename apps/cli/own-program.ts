import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseEventLine } from "@securewave/foundation";

const ASKED_TO_END = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs a program of ours beside the command, and tells its events, a line of JSON each. Whoever asks the command to end
 * asks the program, which takes away what it began, and this waits for it; where the command is killed, the program
 * notices by its channel.
 *
 * @returns when it has ended and all its events were told, however it ended
 */
export async function followProgram<Event extends { readonly kind: string }>(
  file: string,
  args: readonly string[],
  kinds: readonly Event["kind"][],
  onEvent: (event: Event) => void,
  given: { readonly env?: NodeJS.ProcessEnv; readonly input?: string } = {},
): Promise<void> {
  const child = spawn(process.execPath, [file, ...args], {
    stdio: [given.input === undefined ? "ignore" : "pipe", "pipe", "ignore", "ipc"],
    ...(given.env === undefined ? {} : { env: given.env }),
  });
  child.stdin?.on("error", () => {}); // its end shows below
  child.stdin?.end(given.input);
  const ask = (signal: NodeJS.Signals) => child.kill(signal);
  const launcherIsGone = () => child.kill();
  for (const signal of ASKED_TO_END) process.on(signal, ask);
  process.on("disconnect", launcherIsGone);
  const ended = new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
  try {
    if (child.stdout !== null)
      for await (const line of createInterface({ input: child.stdout })) {
        const event = parseEventLine<Event>(line, kinds);
        if (event !== undefined) onEvent(event);
      }
    await ended;
  } finally {
    for (const signal of ASKED_TO_END) process.off(signal, ask);
    process.off("disconnect", launcherIsGone);
  }
}
