import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Archive, type ArchivePiece, historyName } from "../archiving/pieces.ts";
import { segmentName } from "../database/lsn.ts";
import { backupErrors } from "../errors.ts";
import { getOpened } from "../sealing/object.ts";
import { readObject, type Target } from "../targets/target.ts";

/** PostgreSQL's `XLOG_BLCKSZ`. */
export const PAGE_BYTES = 8192;
const PAGE_HEAD_BYTES = 16;

/**
 * Opens a piece of the archive and checks that it is the part of the log that its name says.
 *
 * @throws backup_seal.wrong_key, backup_seal.damaged, backup.damaged, each naming the object
 */
export async function openPiece(
  target: Target,
  piece: ArchivePiece,
  identities: readonly string[],
): Promise<Buffer> {
  const bytes = Buffer.concat(await Array.fromAsync(getOpened(target, piece.name, identities)));
  const isWhole = BigInt(bytes.length) === piece.to - piece.from && pagesOf(bytes, piece).every(isPageRight);
  if (!isWhole) {
    throw backupErrors.damaged({
      detail: `${piece.name} is not the part of the log that its name says. Restore from another base.`,
    });
  }
  return bytes;
}

/** Writes pieces into the segments of a data folder's log, and what PostgreSQL needs to follow timelines. */
export async function writeLog(options: {
  readonly target: Target;
  readonly identities: readonly string[];
  readonly archive: Archive | undefined;
  readonly pieces: readonly ArchivePiece[];
  readonly segmentBytes: number;
  readonly dataDir: string;
  readonly onWritten: (bytes: number) => void;
}): Promise<void> {
  const { target, identities, archive, pieces, segmentBytes, dataDir } = options;
  const logDir = join(dataDir, "pg_wal");
  mkdirSync(logDir, { recursive: true, mode: 0o700 });
  for (const timeline of archive?.timelines.keys() ?? []) {
    const name = `${timeline.toString(16).toUpperCase().padStart(8, "0")}.history`;
    const text = await readObject(target, historyName(archive?.systemId ?? "", timeline));
    writeFileSync(join(logDir, name), text, { mode: 0o600 });
  }
  for (const piece of pieces) {
    const bytes = await openPiece(target, piece, identities);
    for (let at = 0; at < bytes.length; ) {
      const lsn = piece.from + BigInt(at);
      const offset = Number(lsn % BigInt(segmentBytes));
      const part = bytes.subarray(at, at + segmentBytes - offset);
      writeInto(join(logDir, segmentName(piece.timeline, lsn, segmentBytes)), part, offset, segmentBytes);
      at += part.length;
    }
    options.onWritten(piece.bytes);
  }
}

function writeInto(path: string, part: Buffer, offset: number, segmentBytes: number): void {
  let file: number;
  try {
    file = openSync(path, "r+");
  } catch {
    file = openSync(path, "wx", 0o600);
    ftruncateSync(file, segmentBytes); // PostgreSQL wants a segment's whole length
  }
  try {
    for (let from = 0; from < part.length; )
      from += writeSync(file, part, from, part.length - from, offset + from);
  } finally {
    closeSync(file);
  }
}

interface Page {
  readonly lsn: bigint;
  readonly timeline: number;
  readonly head: Buffer;
}

function pagesOf(bytes: Buffer, { from, timeline }: ArchivePiece): Page[] {
  const lead = Number((BigInt(PAGE_BYTES) - (from % BigInt(PAGE_BYTES))) % BigInt(PAGE_BYTES));
  const count = Math.max(0, Math.ceil((bytes.length - lead - PAGE_HEAD_BYTES + 1) / PAGE_BYTES));
  return Array.from({ length: count }, (_, at) => {
    const start = lead + at * PAGE_BYTES;
    return { lsn: from + BigInt(start), timeline, head: bytes.subarray(start, start + PAGE_HEAD_BYTES) };
  });
}

/** A page says its own position and timeline; the rest of a segment that was left early is zero. */
function isPageRight({ lsn, timeline, head }: Page): boolean {
  if (head.every((byte) => byte === 0)) return true;
  return head.readUInt32LE(4) <= timeline && head.readBigUInt64LE(8) === lsn;
}
