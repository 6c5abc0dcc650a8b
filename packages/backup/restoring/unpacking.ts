import { on } from "node:events";
import { Worker } from "node:worker_threads";
import { invariant } from "@securewave/foundation";
import { backupErrors, sealErrors } from "../errors.ts";
import type { Target } from "../targets/target.ts";

export interface UnpackOrder {
  readonly path: string;
  readonly identities: readonly string[];
  readonly dir: string;
}

export type UnpackTold =
  | { readonly kind: "taken" }
  | { readonly kind: "written"; readonly bytes: number }
  | { readonly kind: "done" }
  | {
      readonly kind: "failed";
      readonly code: string | undefined;
      readonly message: string;
      readonly isRefusal: boolean;
    };

/** Parts of the object that are under way to the thread. */
const PARTS_AHEAD = 4;

/**
 * Unpacks a base into a folder, in a thread. Each 64 MB that pass have V8 search all that its heap holds, which in a
 * thread is next to nothing: it takes half the work.
 *
 * @param onWritten gets the bytes unpacked so far
 * @throws backup.damaged, backup_seal.wrong_key, backup_seal.damaged, backup_target.…
 */
export async function unpackBase(
  target: Target,
  order: UnpackOrder,
  onWritten: (bytes: number) => void,
): Promise<void> {
  const source = (await target.get(order.path))[Symbol.asyncIterator]();
  const thread = new Worker(new URL("./unpack-thread.ts", import.meta.url), {
    workerData: order,
    execArgv: [],
  });
  const send = async () => {
    const { value, done } = await source.next();
    thread.postMessage(done ? null : value);
  };
  const messages = on(thread, "message", { close: ["exit"] }) as AsyncIterable<[UnpackTold]>;
  try {
    for (let part = 0; part < PARTS_AHEAD; part++) await send();
    for await (const [told] of messages) {
      if (told.kind === "taken") await send();
      else if (told.kind === "written") onWritten(told.bytes);
      else if (told.kind === "failed") throw errorOf(told);
      else return;
    }
    invariant(false, "the thread says how it ended");
  } finally {
    await thread.terminate();
    await source.return?.();
  }
}

/** What the thread threw, as it would be without one. */
function errorOf({ code, message, isRefusal }: Extract<UnpackTold, { kind: "failed" }>): Error {
  const refusals = [...Object.values(sealErrors), ...Object.values(backupErrors)];
  const refusal = isRefusal ? refusals.find((each) => each.code === code) : undefined;
  return refusal?.({ detail: message }) ?? Object.assign(new Error(message), { code });
}
