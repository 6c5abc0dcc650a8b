import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { MINUTE_MS } from "@securewave/foundation";
import type { Archive, ArchivePiece } from "../archiving/pieces.ts";
import { nextSegment, parseLsn } from "../database/lsn.ts";
import { backupErrors } from "../errors.ts";
import { folderOf } from "../manifest.ts";
import type { Target } from "../targets/target.ts";
import { writeLog } from "./log-files.ts";
import type { RestorePlan } from "./plan.ts";
import { unpackBase } from "./unpacking.ts";

/** A service that runs commits something in each minute. */
const COMMITTED_WITHIN_MS = MINUTE_MS;

export interface FillOptions {
  readonly target: Target;
  readonly identities: readonly string[];
  /** What is being done, and how much of all: from 0 to 1. */
  readonly onProgress?: ((doing: string, share: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Unpacks the base, and gets of the archive what an instant most likely needs. @returns what comes behind that */
export async function fill(
  { target, identities, onProgress, signal }: FillOptions,
  plan: RestorePlan,
  archives: readonly Archive[],
  dataDir: string,
): Promise<{ writeLater: (() => Promise<void>) | undefined }> {
  const { base } = plan;
  const [object] = base.objects;
  if (object === undefined) throw backupErrors.damaged({ detail: `The backup ${base.id} has no base.` });
  const { soon, later } = splitPieces(plan);
  const total = object.plainBytes + 2 * soon.reduce((sum, { bytes }) => sum + bytes, 0);
  const done = { base: 0, log: 0 };
  const tell = () => {
    if (signal?.aborted) throw backupErrors.interrupted();
    const doing = done.base < object.plainBytes ? "unpack the base" : "get the archive";
    onProgress?.(doing, 0.8 * Math.min(1, (done.base + done.log) / Math.max(1, total)));
  };
  const unpack = async () => {
    const path = `${folderOf("database", base.id)}${object.name}`;
    await unpackBase(target, { path, identities, dir: dataDir }, (bytes) => {
      done.base = bytes;
      tell();
    });
    // The socket of the server that it was taken from.
    for (const name of await readdir(dataDir)) {
      if (name.startsWith(".s.PGSQL.")) await rm(join(dataDir, name));
    }
  };
  const archive = archives.find(({ systemId }) => systemId === base.base.systemId);
  const { segmentBytes } = base.base;
  const onWritten = (bytes: number) => {
    done.log += 2 * bytes;
    tell();
  };
  const write = (pieces: RestorePlan["pieces"]) =>
    writeLog({ target, identities, archive, pieces, segmentBytes, dataDir, onWritten });
  // The base has the log to the end of the segment in which it was finished: those files it would write over.
  const behindBase = nextSegment(parseLsn(base.base.stopLsn), segmentBytes);
  const isBehind = ({ from }: ArchivePiece) => from >= behindBase;
  await allOver([unpack(), write(soon.filter(isBehind))]);
  await write(soon.filter((piece) => !isBehind(piece)));
  return { writeLater: later.length === 0 ? undefined : () => write(later) };
}

/** @throws what the first of them throws that fails, once none goes on */
async function allOver(works: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(works);
  await Promise.all(works);
}

/**
 * Parts the pieces where the instant is most likely passed. Only PostgreSQL, which stops at the first later commit, tells
 * whether those behind are wanted: a piece may have been received long after what is in it was committed, and the next
 * commit come long after the instant.
 */
function splitPieces({ pieces, targetTime }: RestorePlan) {
  const passed =
    targetTime === undefined ? Number.POSITIVE_INFINITY : targetTime.getTime() + COMMITTED_WITHIN_MS;
  const reached = pieces.findIndex(({ at }) => at > passed);
  const count = reached < 0 ? pieces.length : reached + 1;
  return { soon: pieces.slice(0, count), later: pieces.slice(count) };
}
