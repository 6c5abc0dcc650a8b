import { PassThrough, Writable } from "node:stream";
import { createManualClock, invariant } from "@securewave/foundation";
import { run } from "../program.ts";
import { fakeMachine } from "./fake-machine.ts";
import type { TestService } from "./service.ts";
import { noDrill } from "./terminal.ts";

interface Talk {
  readonly code: number;
  readonly stdout: string;
  /** All that stood on the terminal beside the answer. */
  readonly stderr: string;
}

/**
 * Runs a command with a person at the terminal.
 *
 * @param answers what the person types when a question ends so, in this order
 */
export async function talk(
  service: TestService,
  line: string,
  answers: readonly (readonly [question: string, answer: string])[],
): Promise<Talk> {
  const stdin = new PassThrough();
  const waiting = [...answers];
  let stderr = "";
  let stdout = "";
  const screen = new Writable({
    write(chunk, _encoding, done) {
      stderr += String(chunk);
      const [next] = waiting;
      if (next !== undefined && stderr.endsWith(next[0])) {
        waiting.shift();
        // Once the reader of the answer is there.
        setImmediate(() => stdin.write(`${next[1]}\n`));
      }
      done();
    },
  });
  const code = await run(line.split(" "), {
    env: { SECUREWAVE_URL: service.api().url },
    homeDir: service.home().dir,
    stdin: Object.assign(stdin, { isTTY: true }),
    stdout: {
      write(text) {
        stdout += text;
      },
    },
    stderr: Object.assign(screen, { isTTY: true, columns: 80 }),
    clock: createManualClock(Date.parse("2026-11-20T12:00:00Z")),
    machine: fakeMachine(),
    runDrill: noDrill,
  });
  invariant(waiting.length === 0, `every answer of the test was asked for: ${waiting[0]?.[0]}`);
  return { code, stdout, stderr };
}
