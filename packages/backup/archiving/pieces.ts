import { SECOND_MS } from "@securewave/foundation";
import { readObject, type Target } from "../targets/target.ts";

const PREFIX = "archive/";
const PIECE =
  /^(\d+)\/([0-9a-f]{8})\/([0-9a-f]{16})-([0-9a-f]{16})-(\d{8}T\d{6}Z)-([0-9a-f]{16})\.wal\.zst\.age$/;
const HISTORY = /^(\d+)\/([0-9a-f]{8})\.history$/;
export const HASH_LETTERS = 16;

/** A range of the log on one timeline, sealed as one object. */
export interface ArchivePiece {
  readonly name: string;
  readonly bytes: number;
  readonly systemId: string;
  readonly timeline: number;
  readonly from: bigint;
  /** Behind its last byte. */
  readonly to: bigint;
  /** No transaction in it committed later, by the server's clock; milliseconds since 1970. */
  readonly at: number;
  /** The beginning of the SHA-256 of the sealed bytes, in hex. */
  readonly hash: string;
}

/** To where the archive is whole. */
export interface ArchiveHead {
  readonly timeline: number;
  readonly lsn: bigint;
  /** What was acknowledged before this second is in the archive; milliseconds since 1970. */
  readonly at: number;
}

/** Where a timeline left the one before it. */
export interface TimelineStart {
  readonly parent: number;
  readonly at: bigint;
}

/** The archive of one cluster of PostgreSQL. */
export interface Archive {
  readonly systemId: string;
  /** In the order of timelines and positions. */
  readonly pieces: readonly ArchivePiece[];
  readonly timelines: ReadonlyMap<number, TimelineStart>;
  readonly head: ArchiveHead | undefined;
}

/** @returns one archive for each cluster that was ever archived there */
export async function readArchives(target: Target): Promise<Archive[]> {
  const pieces = new Map<string, ArchivePiece[]>();
  const histories: { systemId: string; timeline: number; name: string }[] = [];
  for await (const { name, bytes } of target.list(PREFIX)) {
    const piece = parsePiece(name, bytes);
    if (piece) pieces.set(piece.systemId, [...(pieces.get(piece.systemId) ?? []), piece]);
    const [, systemId = "", timeline] = HISTORY.exec(name.slice(PREFIX.length)) ?? [];
    if (timeline !== undefined) histories.push({ systemId, timeline: Number.parseInt(timeline, 16), name });
  }
  return Promise.all(
    [...new Set([...pieces.keys(), ...histories.map(({ systemId }) => systemId)])].map(async (systemId) => {
      const timelines = new Map<number, TimelineStart>();
      for (const history of histories.filter((each) => each.systemId === systemId)) {
        const start = parseHistory((await readObject(target, history.name)).toString());
        if (start) timelines.set(history.timeline, start);
      }
      const head = await readHead(target, systemId);
      return { systemId, pieces: (pieces.get(systemId) ?? []).sort(inOrder), timelines, head };
    }),
  );
}

export function pieceName(piece: Omit<ArchivePiece, "name" | "bytes">): string {
  const second = new Date(piece.at).toISOString().replace(/[-:]|\.\d+/g, "");
  const range = `${hex(piece.from, 16)}-${hex(piece.to, 16)}-${second}-${piece.hash}`;
  return `${PREFIX}${piece.systemId}/${hex(piece.timeline, 8)}/${range}.wal.zst.age`;
}

export function historyName(systemId: string, timeline: number): string {
  return `${PREFIX}${systemId}/${hex(timeline, 8)}.history`;
}

export async function writeHead(target: Target, systemId: string, head: ArchiveHead): Promise<void> {
  const text = JSON.stringify({
    timeline: head.timeline,
    lsn: hex(head.lsn, 16),
    at: new Date(head.at).toISOString(),
  });
  await target.put(headName(systemId), [Buffer.from(`${text}\n`)]);
}

/** Reads a `.history` file of PostgreSQL: of its lines, each a timeline and its end, the last is the parent's. */
export function parseHistory(text: string): TimelineStart | undefined {
  const lines = [...text.matchAll(/^\s*(\d+)\s+([0-9A-F]+)\/([0-9A-F]+)/gim)];
  const [, parent = "", high = "", low = ""] = lines.at(-1) ?? [];
  if (parent === "") return undefined;
  return { parent: Number(parent), at: (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`) };
}

function parsePiece(name: string, bytes: number): ArchivePiece | undefined {
  const [, systemId = "", timeline = "", from = "", to = "", second = "", hash = ""] =
    PIECE.exec(name.slice(PREFIX.length)) ?? [];
  const at = Date.parse(second.replace(/(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z"));
  if (hash === "" || Number.isNaN(at)) return undefined;
  const range = { from: BigInt(`0x${from}`), to: BigInt(`0x${to}`) };
  if (range.from >= range.to) return undefined;
  return { name, bytes, systemId, timeline: Number.parseInt(timeline, 16), ...range, at, hash };
}

async function readHead(target: Target, systemId: string): Promise<ArchiveHead | undefined> {
  const name = headName(systemId);
  if ((await target.find(name)) === undefined) return undefined;
  const text = (await readObject(target, name)).toString();
  const [, timeline, lsn, at = ""] =
    /^\{"timeline":(\d+),"lsn":"([0-9a-f]{16})","at":"([^"]+)"\}\n$/.exec(text) ?? [];
  const atMs = Math.floor(Date.parse(at) / SECOND_MS) * SECOND_MS;
  if (lsn === undefined || Number.isNaN(atMs)) return undefined;
  return { timeline: Number(timeline), lsn: BigInt(`0x${lsn}`), at: atMs };
}

function headName(systemId: string): string {
  return `${PREFIX}${systemId}/head.json`;
}

function hex(value: bigint | number, letters: number): string {
  return value.toString(16).padStart(letters, "0");
}

/** Of two pieces that begin together the longer comes first. */
function inOrder(one: ArchivePiece, other: ArchivePiece): number {
  if (one.timeline !== other.timeline) return one.timeline - other.timeline;
  if (one.from !== other.from) return one.from < other.from ? -1 : 1;
  return one.to > other.to ? -1 : 1;
}
