import { listBackups, type Manifest, type Target } from "@securewave/backup";
import { BACKUP_KINDS } from "@securewave/contracts/backups";
import type { KnownBackup } from "../order.ts";

export function knownOf(manifest: Manifest): KnownBackup {
  const { id, kind, version, objects, counts } = manifest;
  return {
    id,
    kind,
    taken_at: manifest.takenAt,
    version,
    bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
    objects: objects.length,
    counts,
  };
}

export async function findManifest(target: Target, id: string): Promise<Manifest | undefined> {
  for (const kind of BACKUP_KINDS) {
    const found = (await listBackups(target, kind)).backups.find((manifest) => manifest.id === id);
    if (found !== undefined) return found;
  }
  return undefined;
}
