import type { Clock } from "@securewave/foundation";
import { backupErrors } from "./errors.ts";
import {
  type BackupKind,
  type BackupObject,
  createBackupId,
  folderOf,
  type Manifest,
  removeBackup,
  secondOf,
  writeManifest,
} from "./manifest.ts";
import { getOpened, putSealed, SEALED_SUFFIX } from "./sealing/object.ts";
import type { Bytes, Target } from "./targets/target.ts";

export interface Content {
  /** Of letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  open(): Promise<Bytes> | Bytes;
}

export interface StoreOptions {
  readonly target: Target;
  readonly recipients: readonly string[];
  readonly kind: Exclude<BackupKind, "database">;
  /** Of SecureWave. */
  readonly version: string;
  readonly contents: readonly Content[];
  readonly counts: Readonly<Record<string, number>>;
  readonly clock: Clock;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Keeps some streams as one backup. What fails leaves nothing. */
export async function storeBackup(options: StoreOptions): Promise<Manifest> {
  const { target, recipients, kind, version, contents, counts, clock } = options;
  const id = createBackupId(clock);
  const folder = folderOf(kind, id);
  try {
    const objects: BackupObject[] = [];
    for (const { name, open } of contents) {
      objects.push(await putSealed(target, `${folder}${name}${SEALED_SUFFIX}`, await open(), recipients));
      options.onProgress?.(objects.length, contents.length);
    }
    return await writeManifest(target, {
      id,
      kind,
      takenAt: secondOf(clock.now()),
      version,
      counts,
      objects,
    });
  } catch (error) {
    await removeBackup(target, kind, id).catch(() => {});
    throw error;
  }
}

/**
 * Opens one content of a backup by the name it was given.
 *
 * @throws backup.not_found; while it is read backup_seal.wrong_key, backup_seal.damaged
 */
export function openContent(
  target: Target,
  manifest: Manifest,
  name: string,
  identities: readonly string[],
): AsyncIterable<Buffer> {
  const object = manifest.objects.find((each) => each.name === `${name}${SEALED_SUFFIX}`);
  if (object === undefined)
    throw backupErrors.notFound({ detail: `The backup ${manifest.id} holds no ${name}.` });
  return getOpened(target, `${folderOf(manifest.kind, manifest.id)}${object.name}`, identities);
}
