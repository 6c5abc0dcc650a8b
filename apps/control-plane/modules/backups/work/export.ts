import { resolve } from "node:path";
import { type Manifest, openTarget, backupErrors as workErrors } from "@securewave/backup";
import { openFolderTarget } from "@securewave/backup/targets/folder";
import type { Bytes } from "@securewave/backup/targets/target";
import { backupErrors } from "@securewave/contracts/backups";
import { defineErrors } from "@securewave/foundation";
import type { Config } from "../../../config.ts";
import { targetOptionsOf } from "../open.ts";
import { readTexts } from "./contents.ts";
import { identitiesFor } from "./identities.ts";
import type { OrderOf, Told } from "./machine-order.ts";
import { findManifest } from "./target.ts";

const exportErrors = defineErrors("backup_export", {
  folderInUse: {
    status: 409,
    message: "The folder holds something already. Name one that is empty, or that there is not.",
  },
  noText: {
    status: 422,
    message:
      "A backup of the database is no text. Export it sealed, or restore it: securewave backup restore",
  },
});

/**
 * Writes a backup into a folder: as it is kept, which itself is a target that can be restored from; or opened. What
 * breaks off leaves nothing there.
 *
 * @throws backups.not_found, backup_export.folder_in_use, backup_export.no_text, backup.interrupted
 */
export async function exportTo(
  order: OrderOf<"export">,
  config: Config,
  { progress, signal }: Told,
): Promise<object> {
  const target = await openTarget(targetOptionsOf(config));
  const manifest = await findManifest(target, order.backupId);
  if (manifest === undefined) throw backupErrors.notFound();
  const dir = resolve(order.toDir);
  const folder = openFolderTarget(dir);
  for await (const _ of folder.list("")) throw exportErrors.folderInUse();
  const written: string[] = [];
  async function put(name: string, content: Bytes): Promise<void> {
    await folder.put(name, unlessAborted(content, signal));
    written.push(name);
    await progress("export", 1 - 1 / (written.length + 1)); // how many there are shows at the end
  }
  try {
    if (order.isOpened) {
      if (manifest.kind === "database") throw exportErrors.noText();
      const texts = await readTexts(await identitiesFor(config, order.keyFile), target, manifest);
      for (const { name, text } of texts) await put(name, [Buffer.from(text)]);
    } else {
      for (const prefix of prefixesOf(manifest))
        for await (const { name } of target.list(prefix)) await put(name, await target.get(name));
    }
  } catch (error) {
    for (const name of written) await folder.remove(name);
    throw error;
  }
  return { dir, files: written };
}

async function* unlessAborted(content: Bytes, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const part of content) {
    if (signal.aborted) throw workErrors.interrupted();
    yield part;
  }
}

function prefixesOf({ kind, id }: Manifest): readonly string[] {
  return [`backups/${kind}/${id}/`, ...(kind === "database" ? ["archive/"] : [])];
}
