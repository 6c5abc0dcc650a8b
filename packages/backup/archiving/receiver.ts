import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { RefusalError, SECOND_MS } from "@securewave/foundation";
import pg from "pg";
import { openReplication, ServerError } from "../database/connection.ts";
import { parseLsn } from "../database/lsn.ts";
import { backupErrors } from "../errors.ts";
import { sealedBytes } from "../sealing/object.ts";
import type { Target } from "../targets/target.ts";
import { readFrame, statusFrame } from "./frames.ts";
import { type ArchiveHead, type ArchivePiece, HASH_LETTERS, pieceName, writeHead } from "./pieces.ts";
import { findStart, type Start } from "./start.ts";

const RETRY_MS = 1000;
const RETRY_MAX_MS = 60_000;
/** While nothing is written the head moves on this often. */
const IDLE_HEAD_SECONDS = 60;
const FLUSH_POLL_MS = 100;

export interface ArchiveOptions {
  readonly target: Target;
  readonly recipients: readonly string[];
  /** Of a role that may replicate. */
  readonly connection: pg.ClientConfig;
  /** After so long at the latest, what was written is on the target. */
  readonly everySeconds?: number;
  /** Gets whatever keeps it from archiving, at each try; it tries again by itself. */
  readonly onTrouble?: (error: unknown) => void;
}

export interface ArchiveState {
  readonly isConnected: boolean;
  readonly timeline: number;
  readonly receivedTo: bigint;
  readonly archivedTo: bigint;
  /** What was acknowledged before this second is on the target; milliseconds since 1970, undefined before the first. */
  readonly archivedAt: number | undefined;
  /** What the server no longer had when the archive was resumed: a base is to be taken. */
  readonly gap: { readonly from: bigint; readonly to: bigint } | undefined;
  /** What keeps it from archiving at present; undefined once what was received is on the target again. */
  readonly trouble: unknown;
}

export interface ArchiveReceiver {
  state(): ArchiveState;
  /** Brings to the target what was committed before the call, so that this second can be restored to. */
  flush(): Promise<void>;
  /** Brings what was received to the target and ends. */
  close(): Promise<void>;
}

/**
 * Follows the database's log and keeps it on the target, piece by piece. PostgreSQL holds back what is not yet
 * there. Losing the connection or the target only delays it.
 *
 * @throws backup.archive_in_use, backup.not_permitted at the first connecting
 */
export async function receiveArchive(options: ArchiveOptions): Promise<ArchiveReceiver> {
  const everyMs = (options.everySeconds ?? 10) * SECOND_MS;
  let isClosing = false;
  let trouble: unknown;
  const hear = (error: unknown) => {
    if (isClosing) return;
    trouble = error;
    options.onTrouble?.(error);
  };
  let session = await openSession({ ...options, onTrouble: hear });
  let gap = session.state().gap;
  const closing = new AbortController();
  const pause = (ms: number) => sleep(ms, undefined, { signal: closing.signal }).catch(() => {});

  const reopen = async () => {
    session = await openSession({ ...options, onTrouble: hear });
    gap = session.state().gap ?? gap;
  };
  const follow = async () => {
    for (let failures = 0; !isClosing; ) {
      await session.follow().catch(hear);
      failures = session.hasReceived() ? 1 : failures + 1;
      await pause(Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** (failures - 1)));
      if (!isClosing) await reopen().catch(hear);
    }
    session.end();
  };
  const following = follow();
  const cut = async (isHeadDue: boolean) => {
    const current = session;
    await current.cut(isHeadDue);
    if (current.state().isConnected) trouble = undefined;
  };
  const cutting = (async () => {
    while (!isClosing) {
      await pause(everyMs);
      if (!isClosing) await cut(false).catch(hear);
    }
  })();

  return {
    state: () => ({ ...session.state(), gap, trouble }),
    async flush() {
      const wanted = await flushedTo(options.connection);
      for (;;) {
        if (isClosing) throw backupErrors.interrupted();
        await cut(true);
        const { archivedTo, archivedAt = 0 } = session.state();
        if (archivedTo >= wanted.lsn && archivedAt >= wanted.at) return;
        await pause(FLUSH_POLL_MS);
      }
    },
    async close() {
      isClosing = true;
      closing.abort();
      await cutting;
      await session.cut().catch((error) => options.onTrouble?.(error));
      session.end();
      await following;
    },
  };
}

interface Session {
  state(): Omit<ArchiveState, "trouble">;
  hasReceived(): boolean;
  /** Receives until the connection ends. */
  follow(): Promise<void>;
  /** Puts on the target what was received, and to which second that is all. */
  cut(isHeadDue?: boolean): Promise<void>;
  end(): void;
}

async function openSession({
  target,
  recipients,
  connection: config,
  onTrouble,
}: ArchiveOptions): Promise<Session> {
  const connection = await openReplication(config, "securewave archive");
  let start: Start;
  try {
    start = await findStart(connection, target);
    connection.start(start.command);
    await start.confirm();
  } catch (error) {
    connection.close();
    throw error;
  }
  const { systemId, timeline, unitBytes } = start;

  /** What was received of the present unit, from its beginning. One for all: V8 lets 64 MB of buffers lie before it collects. */
  const unit = Buffer.allocUnsafeSlow(unitBytes);
  let unitStart = start.from;
  let receivedTo = start.from;
  let receivedAt = 0;
  let archivedTo = start.archivedTo;
  let parts: ArchivePiece[] = [...start.parts];
  let head: ArchiveHead | undefined = start.head;
  /** The latest that the server said: all to here was there at that time. */
  let seen: { lsn: bigint; at: number } | undefined;
  let isEnded = false;
  const ending = new AbortController();
  let working: Promise<void> = Promise.resolve();

  const putPiece = async (from: bigint): Promise<void> => {
    const [to, at] = [receivedTo, Math.ceil(receivedAt / SECOND_MS) * SECOND_MS];
    const sealed = await sealedBytes(
      unit.subarray(Number(from - unitStart), Number(to - unitStart)),
      recipients,
    );
    const hash = createHash("sha256").update(sealed).digest("hex").slice(0, HASH_LETTERS);
    const piece = { systemId, timeline, from, to, at, hash };
    const name = pieceName(piece);
    await target.put(name, [sealed]);
    parts.push({ ...piece, name, bytes: sealed.length });
    if (to > archivedTo) archivedTo = to;
  };
  /** The parts of a unit become one when it is full. */
  const finishUnit = async (): Promise<void> => {
    const isWhole = parts.some((part) => part.from === unitStart && part.to === receivedTo);
    if (!isWhole) await putPiece(unitStart);
    for (const part of parts) {
      if (part.from > unitStart || part.to < receivedTo) await target.remove(part.name);
    }
    parts = [];
    unitStart = receivedTo;
  };
  const moveHead = async (isDue: boolean): Promise<void> => {
    if (seen === undefined || seen.lsn > archivedTo) return;
    const isMoved = head === undefined || head.lsn !== archivedTo || head.timeline !== timeline;
    const next = { timeline, lsn: archivedTo, at: Math.floor(seen.at / SECOND_MS) * SECOND_MS };
    const age = next.at - (head?.at ?? 0);
    if (!isMoved && (age === 0 || (!isDue && age < IDLE_HEAD_SECONDS * SECOND_MS))) return;
    await writeHead(target, systemId, next);
    head = next;
  };
  /** One at a time: cutting by the clock, by a full unit and by whoever asks. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = working.then(work);
    working = turn.catch(() => {});
    return turn;
  };
  const acknowledge = (isAnswerWanted: boolean) =>
    connection.send(statusFrame(receivedTo, archivedTo, isAnswerWanted));

  const hold = async (whole: Buffer): Promise<void> => {
    for (let data = whole; data.length > 0; ) {
      const count = data.copy(unit, Number(receivedTo - unitStart));
      receivedTo += BigInt(count);
      data = data.subarray(count);
      if (receivedTo - unitStart < BigInt(unitBytes)) continue;
      await persistently(() => inTurn(finishUnit));
      acknowledge(false);
    }
  };
  const take = async (body: Buffer): Promise<void> => {
    const frame = readFrame(body);
    if (frame?.kind === "data") {
      if (frame.from !== receivedTo) throw new ServerError("XX000", "the log came with a hole");
      receivedAt = frame.at;
      await hold(frame.data);
    }
    if (frame !== undefined && frame.serverEnd <= receivedTo) seen = { lsn: receivedTo, at: frame.at };
    if (frame?.kind === "alive" && frame.isAnswerWanted) acknowledge(false);
  };
  const persistently = async (work: () => Promise<void>): Promise<void> => {
    for (let failures = 0; ; failures++) {
      try {
        return await work();
      } catch (error) {
        if (isEnded || !(error instanceof RefusalError)) throw error;
        acknowledge(false); // or the server takes us for gone
        onTrouble?.(error);
        await sleep(Math.min(RETRY_MAX_MS / 6, RETRY_MS * 2 ** failures), undefined, {
          signal: ending.signal,
        });
      }
    }
  };

  return {
    state: () => ({
      isConnected: !isEnded,
      timeline,
      receivedTo,
      archivedTo,
      archivedAt: head?.at,
      gap: start.gap,
    }),
    hasReceived: () => receivedTo > start.from,
    async follow() {
      try {
        for await (const messages of start.rest()) {
          for (const { type, body } of messages) if (type === "d") await take(body);
        }
      } finally {
        isEnded = true;
        connection.close();
      }
    },
    cut: (isHeadDue = false) =>
      inTurn(async () => {
        if (receivedTo > archivedTo) await putPiece(archivedTo > unitStart ? archivedTo : unitStart);
        acknowledge(true);
        await moveHead(isHeadDue);
      }),
    end() {
      isEnded = true;
      ending.abort();
      connection.close();
    },
  };
}

async function flushedTo(connection: pg.ClientConfig): Promise<{ lsn: bigint; at: number }> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    // A commit that was not waited for comes before this one, which is.
    await client.query("set synchronous_commit = local");
    await client.query("select pg_logical_emit_message(true, 'securewave', '')");
    const { rows } = await client.query(
      "select pg_current_wal_flush_lsn() as lsn, ceil(extract(epoch from clock_timestamp())) as second",
    );
    return { lsn: parseLsn(String(rows[0]?.lsn)), at: Number(rows[0]?.second) * SECOND_MS };
  } finally {
    await client.end();
  }
}
