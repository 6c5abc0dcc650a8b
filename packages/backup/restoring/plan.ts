import { invariant } from "@securewave/foundation";
import type { Archive, ArchivePiece } from "../archiving/pieces.ts";
import { lsnText, parseLsn } from "../database/lsn.ts";
import { backupErrors } from "../errors.ts";
import { type BasePosition, type Manifest, secondOf } from "../manifest.ts";

export interface PlanOptions {
  /** Manifests of databases, the newest first. */
  readonly bases: readonly Manifest[];
  readonly archives: readonly Archive[];
  /** An instant, or all that there is. */
  readonly to: Date | "latest";
  /** One of the bases; else the newest that ends before the instant. */
  readonly baseId?: string | undefined;
}

/** From what an instant can be restored. */
export interface RestorePlan {
  readonly base: Manifest & { readonly base: BasePosition };
  /** The one to follow, with all that it came from. */
  readonly timeline: number;
  /** In the order of the log. */
  readonly pieces: readonly ArchivePiece[];
  /** To where the log is whole on that timeline. */
  readonly endLsn: bigint;
  /** Undefined when all that there is belongs to it. */
  readonly targetTime: Date | undefined;
  /** Up to which instant that is all, in milliseconds since 1970. */
  readonly wholeTo: number;
}

/** What the archive holds behind a base, up to the first hole. */
export interface Coverage {
  readonly timeline: number;
  readonly pieces: readonly ArchivePiece[];
  readonly endLsn: bigint;
  /** Up to which instant that is all, in milliseconds since 1970. */
  readonly wholeTo: number;
  /** The first hole, when there is something behind it. */
  readonly gap: { readonly from: bigint; readonly to: bigint } | undefined;
}

/**
 * Finds what a restore needs, and that all of it is there.
 *
 * @throws backup.no_backup, backup.not_found, backup.too_early, backup.too_late, backup.archive_gap
 */
export function planRestore({ bases, archives, to, baseId }: PlanOptions): RestorePlan {
  const [newest] = bases;
  if (newest === undefined) throw backupErrors.noBackup();
  const at = to === "latest" ? undefined : to.getTime();
  const base = bases.find((each) =>
    baseId === undefined ? at === undefined || Date.parse(each.takenAt) <= at : each.id === baseId,
  );
  if (base === undefined && baseId !== undefined) throw backupErrors.notFound();
  const first = bases.at(-1) ?? newest;
  if (base === undefined || (at !== undefined && Date.parse(base.takenAt) > at)) {
    throw backupErrors.tooEarly({
      detail: `The instant lies before the first backup, which can be restored from ${(base ?? first).takenAt} on.`,
    });
  }
  invariant(base.base, "a backup of the database has its positions");
  const archive = archives.find(({ systemId }) => systemId === base.base?.systemId);
  const { gap, ...covered } = coverageOf(base, archive);
  const { wholeTo } = covered;
  const isBeyond = at !== undefined && at > wholeTo;
  if (gap !== undefined && (at === undefined || isBeyond)) {
    throw backupErrors.archiveGap({
      detail: `The archive has a gap from ${lsnText(gap.from)} to ${lsnText(gap.to)}. The last instant before it is ${secondOf(wholeTo)}; choose that or an earlier one, or one after the next base.`,
    });
  }
  if (isBeyond) {
    throw backupErrors.tooLate({
      detail: `The instant lies after what is archived, which ends at ${secondOf(wholeTo)}. Choose that, an earlier one, or the latest.`,
    });
  }
  const isBaseAlone = at === Date.parse(base.takenAt) && covered.pieces.length === 0;
  return {
    base: { ...base, base: base.base },
    ...covered,
    targetTime: at === undefined || isBaseAlone ? undefined : new Date(at),
  };
}

/** Follows the archive from the end of a base, over its timelines, to the end or the first hole. */
export function coverageOf(base: Manifest, archive: Archive | undefined): Coverage {
  invariant(base.base, "a backup of the database has its positions");
  const { timeline: first, stopLsn, segmentBytes } = base.base;
  const path = timelinesFrom(first, parseLsn(stopLsn), archive);
  const pieces: ArchivePiece[] = [];
  let endLsn = parseLsn(stopLsn);
  let gap: Coverage["gap"];
  let timeline = first;
  for (const [step, { timeline: each, from }] of path.entries()) {
    const endsAt = path[step + 1]?.from;
    // A timeline begins with a copy of the segment in which it left its parent.
    const beginsAt = step === 0 ? endLsn : from - (from % BigInt(segmentBytes));
    const own = (archive?.pieces ?? []).filter((piece) => piece.timeline === each);
    const range = followPieces(own, beginsAt, endsAt);
    if (endsAt !== undefined && range.end < endsAt) gap = { from: range.end, to: endsAt };
    else gap = range.gap;
    if (step > 0 && range.pieces.length === 0) break;
    pieces.push(...range.pieces);
    timeline = each;
    endLsn = range.end > endLsn || step > 0 ? range.end : endLsn;
    if (gap !== undefined) break;
  }
  const head = archive?.head;
  const isHeadCovered = gap === undefined && head?.timeline === timeline && head.lsn <= endLsn;
  const known = [Date.parse(base.takenAt), isHeadCovered ? head.at : beforeLast(pieces)];
  return { timeline, pieces, endLsn, wholeTo: Math.max(...known), gap };
}

/** The instants that can be restored to, the oldest first; between two of them is a gap. */
export function restorableRanges(
  bases: readonly Manifest[],
  archives: readonly Archive[],
): { from: Date; to: Date }[] {
  const ranges: { from: Date; to: Date }[] = [];
  for (const base of bases.toReversed()) {
    const archive = archives.find(({ systemId }) => systemId === base.base?.systemId);
    const from = new Date(base.takenAt);
    const to = new Date(coverageOf(base, archive).wholeTo);
    const last = ranges.at(-1);
    if (last === undefined || last.to < from) ranges.push({ from, to });
    else if (last.to < to) last.to = to;
  }
  return ranges;
}

/** The newest line of timelines that leads on from a position. */
function timelinesFrom(
  first: number,
  stop: bigint,
  archive: Archive | undefined,
): { timeline: number; from: bigint }[] {
  const starts = archive?.timelines ?? new Map();
  const newestFirst = [...starts.keys()].sort((one, other) => other - one);
  for (const newest of newestFirst) {
    const path: { timeline: number; from: bigint }[] = [];
    let each = newest;
    for (let start = starts.get(each); each > first && start; start = starts.get(each)) {
      path.unshift({ timeline: each, from: start.at });
      each = start.parent;
    }
    if (each === first && path.length > 0 && (path[0]?.from ?? 0n) >= stop) {
      return [{ timeline: first, from: stop }, ...path];
    }
  }
  return [{ timeline: first, from: stop }];
}

function followPieces(sorted: readonly ArchivePiece[], from: bigint, endsAt: bigint | undefined) {
  const pieces: ArchivePiece[] = [];
  let end = from;
  for (const piece of sorted) {
    if (endsAt !== undefined && end >= endsAt) break;
    if (piece.to <= end) continue;
    if (piece.from > end) return { pieces, end, gap: { from: end, to: piece.from } };
    pieces.push(piece);
    end = piece.to;
  }
  return { pieces, end, gap: undefined };
}

/** What comes behind the last piece may have been acknowledged within the last piece's second. */
function beforeLast(pieces: readonly ArchivePiece[]): number {
  return pieces.length === 0 ? 0 : Math.max(...pieces.slice(0, -1).map(({ at }) => at), 0);
}
