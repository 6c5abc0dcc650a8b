import { createWriteStream } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { openTarget } from "@securewave/backup";
import { makeFolder } from "@securewave/backup/targets/make-folder";
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
 * Writes a backup into a folder: as it is kept, which itself is a target that can be restored from; or opened.
 *
 * @throws backups.not_found, backup_export.folder_in_use, backup_export.no_text
 */
export async function exportTo(
  order: OrderOf<"export">,
  config: Config,
  { progress }: Told,
): Promise<object> {
  const target = await openTarget(targetOptionsOf(config));
  const manifest = await findManifest(target, order.backupId);
  if (manifest === undefined) throw backupErrors.notFound();
  const dir = resolve(order.toDir);
  await makeFolder(dir);
  if ((await readdir(dir)).length > 0) throw exportErrors.folderInUse();
  if (order.isOpened) {
    if (manifest.kind === "database") throw exportErrors.noText();
    const texts = await readTexts(await identitiesFor(config, order.keyFile), target, manifest);
    for (const { name, text } of texts) await writeFile(join(dir, name), text, { mode: 0o600, flag: "wx" });
    return { dir, files: texts.map(({ name }) => name) };
  }
  const prefixes = [
    `backups/${manifest.kind}/${manifest.id}/`,
    ...(manifest.kind === "database" ? ["archive/"] : []),
  ];
  const files: string[] = [];
  for (const prefix of prefixes) {
    for await (const { name } of target.list(prefix)) {
      const path = join(dir, name);
      await makeFolder(dirname(path));
      await pipeline(await target.get(name), createWriteStream(path, { mode: 0o600, flags: "wx" }));
      files.push(name);
      await progress("export", 1 - 1 / (files.length + 1)); // how many there are shows at the end
    }
  }
  return { dir, files };
}
