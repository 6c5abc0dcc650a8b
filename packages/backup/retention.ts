import { type Clock, DAY_MS } from "@securewave/foundation";
import { type Archive, type ArchivePiece, readArchives } from "./archiving/pieces.ts";
import { parseLsn } from "./database/lsn.ts";
import {
  BACKUP_KINDS,
  type BackupKind,
  beganAt,
  listBackups,
  type Manifest,
  removeBackup,
} from "./manifest.ts";
import type { Target } from "./targets/target.ts";

/** What has no manifest after this time belongs to nobody any more. */
const UNFINISHED_MAX_MS = DAY_MS;

/**
 * Tells which backups may go: those that no instant of the days before needs. What is older than the days counts
 * from the newest backup or from now, whichever is earlier, so that a clock that is wrong deletes nothing.
 *
 * @param backups of one kind, the newest first
 */
export function expiredBackups(backups: readonly Manifest[], keepDays: number, nowMs: number): Manifest[] {
  const [newest] = backups;
  if (newest === undefined) return [];
  const cutoff = cutoffOf(backups, keepDays, nowMs);
  const isOld = (manifest: Manifest) => Date.parse(manifest.takenAt) <= cutoff;
  // The instant at the cutoff itself is restored from the newest base before it.
  const spared = newest.kind === "database" ? backups.find(isOld) : newest;
  return backups.filter((manifest) => isOld(manifest) && manifest !== spared);
}

/** Up to when backups are older than the days; without any, none is. */
function cutoffOf([newest]: readonly Manifest[], keepDays: number, nowMs: number): number {
  return Math.min(nowMs, Date.parse(newest?.takenAt ?? "1970-01-01")) - keepDays * DAY_MS;
}

/**
 * Tells which pieces of an archive no kept base needs.
 *
 * @param bases those that are kept, of all clusters
 */
export function expiredPieces(
  archive: Archive,
  bases: readonly Manifest[],
  keepDays: number,
  nowMs: number,
): ArchivePiece[] {
  const own = bases.flatMap(({ base }) => (base?.systemId === archive.systemId ? [base] : []));
  if (own.length === 0) {
    // Nothing can be restored from it; its first base may be in the making.
    const newest = Math.max(...archive.pieces.map(({ at }) => at));
    const isOver =
      Math.min(nowMs, ...bases.map(({ takenAt }) => Date.parse(takenAt))) - keepDays * DAY_MS > newest;
    return isOver && bases.length > 0 ? [...archive.pieces] : [];
  }
  return archive.pieces.filter((piece) =>
    own.every(
      ({ timeline, startLsn }) =>
        piece.timeline < timeline || (piece.timeline === timeline && piece.to <= parseLsn(startLsn)),
    ),
  );
}

export interface CleanUpOptions {
  readonly target: Target;
  readonly keepDays: Readonly<Record<BackupKind, number>>;
  readonly clock: Clock;
  /** Only tells what would go. */
  readonly isDry?: boolean | undefined;
}

export interface CleanedUp {
  /** The ids of backups. */
  readonly removed: string[];
  readonly removedPieces: number;
  /** Of all that was removed and has a manifest, or is a piece of the archive. */
  readonly bytes: number;
}

/** Removes what the retention lets go, and what was begun a day ago and never finished. */
export async function cleanUp(options: CleanUpOptions): Promise<CleanedUp> {
  const { target, keepDays, clock, isDry = false } = options;
  const nowMs = clock.now();
  const goes: { id: string; kind: BackupKind; bytes: number }[] = [];
  const leftOver: { id: string; kind: BackupKind }[] = [];
  let keptBases: Manifest[] = [];
  for (const kind of BACKUP_KINDS) {
    const { backups, unfinished, damaged } = await listBackups(target, kind);
    const expired = expiredBackups(backups, keepDays[kind], nowMs);
    if (kind === "database") keptBases = backups.filter((manifest) => !expired.includes(manifest));
    goes.push(...expired.map(({ id, objects }) => ({ id, kind, bytes: sumOf(objects) })));
    const isOver = (id: string) => beganAt(id) < nowMs - UNFINISHED_MAX_MS;
    const isExpired = (id: string) => beganAt(id) <= cutoffOf(backups, keepDays[kind], nowMs);
    const useless = [...unfinished.filter(isOver), ...damaged.filter(isExpired)];
    leftOver.push(...useless.map((id) => ({ id, kind })));
  }
  const pieces = (await readArchives(target)).flatMap((archive) =>
    expiredPieces(archive, keptBases, keepDays.database, nowMs),
  );
  if (!isDry) {
    for (const { kind, id } of [...goes, ...leftOver]) await removeBackup(target, kind, id);
    for (const { name } of pieces) await target.remove(name);
  }
  return {
    removed: goes.map(({ id }) => id),
    removedPieces: pieces.length,
    bytes: sumOf(goes) + sumOf(pieces),
  };
}

function sumOf(stored: readonly { readonly bytes: number }[]): number {
  return stored.reduce((sum, { bytes }) => sum + bytes, 0);
}
