/**
 * What an operator does with backups on the machine itself, also where no service runs: the settings are those of the
 * service. `securewave backup` starts it, gives it an order on standard input, and shows what it says.
 */
import { createInterface } from "node:readline";
import { RefusalError, systemClock } from "@securewave/foundation";
import { whenAskedToEnd } from "@securewave/foundation/ending";
import { loadConfig } from "../../../config.ts";
import { exportTo } from "./export.ts";
import { rotateKeys, showKeys } from "./key-acts.ts";
import type { MachineEvent, MachineOrder } from "./machine-order.ts";
import { restore } from "./restore.ts";

await main();

async function main(): Promise<void> {
  const stopping = new AbortController();
  whenAskedToEnd(() => stopping.abort());
  const [line] = await Array.fromAsync(firstLineOf(process.stdin));
  try {
    const order = JSON.parse(line ?? "") as MachineOrder; // it comes from a program of the same version
    const { config, mistakes, vault } = await loadConfig(process.env);
    await vault?.close();
    if (mistakes.length > 0) throw new Error(mistakes.join("; "));
    const said = {
      progress: (doing: string, share: number) => emit({ kind: "progress", doing, share }),
      signal: stopping.signal,
      clock: systemClock,
    };
    const acts = { restore, export: exportTo, keys: showKeys, rotate: rotateKeys };
    const act = acts[order.act] as (...given: unknown[]) => Promise<object>; // each takes its own order
    await emit({ kind: "done", result: await act(order, config, said) });
    process.exit(0);
  } catch (error) {
    const code = error instanceof RefusalError ? error.code : "cli.failed";
    const message = error instanceof Error ? error.message : "failed";
    await emit({ kind: "refused", code, message });
    process.exit(1);
  }
}

async function* firstLineOf(input: NodeJS.ReadStream): AsyncGenerator<string> {
  for await (const line of createInterface({ input })) {
    yield line;
    return;
  }
}

/** Resolves when it is on its way, so that the process may end. */
function emit(event: MachineEvent): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(`${JSON.stringify(event)}\n`, () => resolve());
  });
}
