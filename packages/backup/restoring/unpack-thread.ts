/** Opens, expands and unpacks a base whose bytes come as messages; `unpacking.ts` says how it is talked with. */
import { on } from "node:events";
import { parentPort, workerData } from "node:worker_threads";
import { invariant, RefusalError } from "@securewave/foundation";
import { openSealed } from "../sealing/object.ts";
import { unpackTar } from "./tar.ts";
import type { UnpackOrder, UnpackTold } from "./unpacking.ts";

invariant(parentPort, "this runs as a thread");
const port = parentPort;
const tell = (told: UnpackTold) => port.postMessage(told);

/** They end with null. */
async function* parts(): AsyncGenerator<Uint8Array> {
  for await (const [part] of on(port, "message") as AsyncIterable<[Uint8Array | null]>) {
    if (part === null) return;
    tell({ kind: "taken" });
    yield part;
  }
}

const { path, identities, dir } = workerData as UnpackOrder;
try {
  await unpackTar(openSealed(parts(), path, identities), dir, (bytes) => tell({ kind: "written", bytes }));
  tell({ kind: "done" });
} catch (error) {
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  const message = error instanceof Error ? error.message : String(error);
  tell({ kind: "failed", code, message, isRefusal: error instanceof RefusalError });
}
port.close();
