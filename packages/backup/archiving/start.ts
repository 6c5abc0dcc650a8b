import { type Message, type ReplicationConnection, ServerError } from "../database/connection.ts";
import { lsnText, parseLsn } from "../database/lsn.ts";
import type { Target } from "../targets/target.ts";
import { type ArchiveHead, type ArchivePiece, historyName, parseHistory, readArchives } from "./pieces.ts";

/** PostgreSQL keeps what this slot has not confirmed, and lets one connection use it at a time. */
export const SLOT_NAME = "securewave_archive";
/** The log is kept in pieces of this size; parts of the last one come before it is full. */
const UNIT_BYTES_MAX = 4 * 1024 * 1024;

/** Where following the log begins. */
export interface Start {
  readonly systemId: string;
  readonly timeline: number;
  readonly unitBytes: number;
  /** The beginning of a unit. */
  readonly from: bigint;
  readonly archivedTo: bigint;
  /** What is archived of the unit that it begins with. */
  readonly parts: readonly ArchivePiece[];
  readonly head: ArchiveHead | undefined;
  readonly gap: { from: bigint; to: bigint } | undefined;
  readonly command: string;
  /** Waits until the server streams. @throws what the server refuses with */
  confirm(): Promise<void>;
  /** All messages that follow. */
  rest(): AsyncGenerator<Message[]>;
}

/** Finds where the archive ends and whether the server still has what comes then. */
export async function findStart(connection: ReplicationConnection, target: Target): Promise<Start> {
  const [[systemId = "", timelineText] = []] = await connection.query("IDENTIFY_SYSTEM");
  const timeline = Number(timelineText);
  const [[segmentText] = []] = await connection.query(
    "select setting from pg_settings where name = 'wal_segment_size'",
  );
  const segmentBytes = Number(segmentText);
  const unitBytes = Math.min(segmentBytes, UNIT_BYTES_MAX);
  const system = systemId ?? "";
  const kept = await keptFrom(connection, BigInt(segmentBytes));
  const archive = (await readArchives(target)).find((each) => each.systemId === system);
  const pieces = (archive?.pieces ?? []).filter((piece) => piece.timeline === timeline);
  const switchedAt = await keepHistory(connection, target, system, timeline);

  const isContinued = pieces.length > 0;
  const endsAt = isContinued ? pieces.reduce((end, { to }) => (to > end ? to : end), 0n) : switchedAt;
  // Before the slot's place the server may have nothing; a timeline is followed from its first segment on.
  const wanted = isContinued ? down(endsAt ?? 0n, unitBytes) : down(endsAt ?? kept, segmentBytes);
  const from = wanted < kept ? kept : wanted;
  const messages = connection.read();
  let early: Message[] = [];
  return {
    systemId: system,
    timeline,
    unitBytes,
    from,
    archivedTo: isContinued && endsAt !== undefined && endsAt > from ? endsAt : from,
    parts: pieces.filter((piece) => piece.from >= from && piece.to <= from + BigInt(unitBytes)),
    head: archive?.head,
    gap: endsAt !== undefined && endsAt < from ? { from: endsAt, to: from } : undefined,
    command: `START_REPLICATION SLOT "${SLOT_NAME}" PHYSICAL ${lsnText(from)} TIMELINE ${timeline}`,
    async confirm() {
      // CopyBothResponse is sent by itself before anything of the log.
      const { value, done } = await messages.next();
      if (done || value[0]?.type !== "W") throw new ServerError("08P01", "the log is not streamed");
      early = value.slice(1);
    },
    async *rest() {
      if (early.length > 0) yield early;
      yield* messages;
    },
  };
}

/** @returns the beginning of the segment from which on the server keeps its log for us */
async function keptFrom(connection: ReplicationConnection, segmentBytes: bigint): Promise<bigint> {
  const find = async () => {
    const [row] = await connection.query(
      `select restart_lsn, wal_status from pg_replication_slots where slot_name = '${SLOT_NAME}'`,
    );
    return row;
  };
  const found = await find();
  const isUsable = found !== undefined && found[0] !== null && found[1] !== "lost";
  if (found !== undefined && !isUsable) await connection.query(`DROP_REPLICATION_SLOT ${SLOT_NAME}`);
  if (!isUsable) await connection.query(`CREATE_REPLICATION_SLOT ${SLOT_NAME} PHYSICAL RESERVE_WAL`);
  const [place] = (isUsable ? found : await find()) ?? [];
  const lsn = parseLsn(place ?? "0/0");
  return lsn - (lsn % segmentBytes);
}

/** Keeps where a timeline left its parent. @returns the place; undefined for the first timeline */
async function keepHistory(
  connection: ReplicationConnection,
  target: Target,
  systemId: string,
  timeline: number,
): Promise<bigint | undefined> {
  if (timeline === 1) return undefined;
  let own: bigint | undefined;
  for (let each = timeline; each > 1; ) {
    const [[, content] = []] = await connection.query(`TIMELINE_HISTORY ${each}`);
    const start = parseHistory(content ?? "");
    if (start === undefined) throw new ServerError("XX000", "a timeline without a history");
    own ??= start.at;
    const name = historyName(systemId, each);
    if ((await target.find(name)) === undefined) await target.put(name, [Buffer.from(content ?? "")]);
    each = start.parent;
  }
  return own;
}

function down(lsn: bigint, step: number): bigint {
  return lsn - (lsn % BigInt(step));
}
