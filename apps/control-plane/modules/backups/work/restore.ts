import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { openTarget, restoreDatabase } from "@securewave/backup";
import { defineErrors } from "@securewave/foundation";
import type { Config } from "../../../config.ts";
import { dataKeyPathsOf } from "../../../config.ts";
import { targetOptionsOf } from "../open.ts";
import { loginOf } from "./database.ts";
import { identitiesFor } from "./identities.ts";
import type { OrderOf, Told } from "./machine-order.ts";
import { noteRestore } from "./note-restore.ts";

const restoreErrors = defineErrors("backup_restore", {
  wrongInstant: {
    status: 422,
    message: "This is no instant. Give latest, or an instant such as 2026-11-20T12:00:00Z.",
  },
  noDataKey: {
    status: 409,
    message:
      "The data key is not here, without which nothing that belongs to an account can be read. Put a copy of it where DATA_KEY_FILE says, then restore.",
  },
});

/**
 * Restores the database into a folder that is empty or not there, to be served by the next start of the service.
 *
 * @throws backup_restore.wrong_instant, backup_restore.no_data_key, and what `restoreDatabase` throws
 */
export async function restore(
  order: OrderOf<"restore">,
  config: Config,
  { progress, signal, clock }: Told,
): Promise<object> {
  const to = instantOf(order.to);
  const paths = dataKeyPathsOf(config);
  if (order.into === undefined && !paths.some((path) => existsSync(path))) throw restoreErrors.noDataKey();
  const into = resolve(order.into ?? join(config.store.dir, "store", "pgdata"));
  await progress("open the target", 0);
  const restored = await restoreDatabase({
    target: await openTarget(targetOptionsOf(config)),
    identities: await identitiesFor(config, order.keyFile),
    to,
    into,
    onProgress: (doing, share) => void progress(doing, share),
    signal,
  });
  await progress("note it in the restored database", 0.97);
  await noteRestore(restored, loginOf(config.store.url?.reveal()), clock);
  return { into, restored_to: restored.to.toISOString(), backup_id: restored.baseId };
}

/** @throws backup_restore.wrong_instant */
function instantOf(text: string): Date | "latest" {
  if (text === "latest") return text;
  const instant = new Date(text);
  const hasZone = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  if (!hasZone || Number.isNaN(instant.valueOf())) throw restoreErrors.wrongInstant();
  return instant;
}
