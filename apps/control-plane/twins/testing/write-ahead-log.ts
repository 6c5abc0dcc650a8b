import type { TestServer } from "@securewave/database/testing-server";

/** One record of PostgreSQL's write-ahead log, by all of it that somebody sees who cannot read what it holds. */
export interface WalRecord {
  /** Of the resource manager, such as `Heap`. */
  readonly manager: string;
  /** What was done, such as `HOT_UPDATE`. */
  readonly type: string;
  /** In bytes, images of pages with it. */
  readonly length: number;
  /** Tablespace, database and number of the file that it is about; empty where it is about none. */
  readonly relation: string;
  /** By the scripted clock. */
  readonly minute: number;
}

/** A place in the log and the minute that began there. */
export interface Mark {
  readonly lsn: bigint;
  readonly minute: number;
}

/**
 * What PostgreSQL writes by the machine's clock and about itself: snapshots of running transactions by its background
 * writer, every 15 s (`LOG_SNAPSHOT_INTERVAL_MS`, bgwriter.c), and checkpoints.
 */
const OF_THE_SERVER = new Set([
  "Standby RUNNING_XACTS",
  "XLOG CHECKPOINT_ONLINE",
  "XLOG CHECKPOINT_SHUTDOWN",
]);

/** Below it are the files of the system's catalogs: `FirstNormalObjectId`, transam.h. */
const FIRST_OWN_FILE = 16_384;

/**
 * Dead rows of catalogs, which the ledger's change of tables leaves, are cleared away by whoever reads the page next and
 * meets no older snapshot: two runs of the same differ in it.
 */
function isCatalogPruning(manager: string, type: string, relation: string): boolean {
  const file = Number(relation.split("/")[2]);
  return manager === "Heap2" && type === "PRUNE" && file < FIRST_OWN_FILE;
}

const LINE =
  /^rmgr: (\w+)\s+len \(rec\/tot\):\s*\d+\/\s*(\d+), tx:\s*\d+, lsn: ([0-9A-F]+\/[0-9A-F]+), .*?desc: ([A-Z][A-Z_+0-9]*)(.*)$/;

export function parseLsn(text: string): bigint {
  const [high = "", low = ""] = text.split("/");
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** Reads what a stopped server wrote between the first mark and the last, by PostgreSQL's own `pg_waldump`. */
export async function readWriteAheadLog(server: TestServer, marks: readonly Mark[]): Promise<WalRecord[]> {
  const [first, last] = [marks[0], marks.at(-1)];
  if (first === undefined || last === undefined) return [];
  const text = await server.tool(
    "pg_waldump",
    ...["--path", `${server.dataDir}/pg_wal`, "--start", lsnText(first.lsn), "--end", lsnText(last.lsn)],
  );
  const records: WalRecord[] = [];
  let at = 0;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, manager, length, lsnOfRecord, type, rest = ""] = LINE.exec(line) ?? [];
    if (manager === undefined || type === undefined || lsnOfRecord === undefined)
      throw new Error(`a line of pg_waldump that is not understood: ${line.slice(0, 120)}`);
    const lsn = parseLsn(lsnOfRecord);
    while (at + 1 < marks.length && (marks[at + 1]?.lsn ?? lsn) <= lsn) at++;
    const [, relation = ""] = /rel (\d+\/\d+\/\d+)/.exec(rest) ?? [];
    if (OF_THE_SERVER.has(`${manager} ${type}`) || isCatalogPruning(manager, type, relation)) continue;
    records.push({ manager, type, length: Number(length), relation, minute: marks[at]?.minute ?? 0 });
  }
  return records;
}

/** @returns how many records one has and the other has not, in their order: the fewest to be left out of both */
export function differenceOf(one: readonly WalRecord[], other: readonly WalRecord[]): number {
  const [a, b] = [one.map(textOf), other.map(textOf)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  return editsBetween(a.slice(start, a.length - end), b.slice(start, b.length - end));
}

/** Past so many the two have nothing in common, and how little does not matter. */
const EDITS_MAX = 5000;

/** Myers, An O(ND) Difference Algorithm (1986), greedy; a lower bound where there are more than can matter. */
function editsBetween(a: readonly string[], b: readonly string[]): number {
  const furthest = new Map<number, number>([[1, 0]]);
  const max = Math.min(a.length + b.length, EDITS_MAX);
  for (let edits = 0; edits <= max; edits++) {
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const [left, right] = [furthest.get(diagonal - 1) ?? -1, furthest.get(diagonal + 1) ?? -1];
      let x = diagonal === -edits || (diagonal !== edits && left < right) ? right : left + 1;
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x++;
      furthest.set(diagonal, x);
      if (x >= a.length && x - diagonal >= b.length) return edits;
    }
  }
  return max;
}

/**
 * The records with those of some minutes in an order of their own: what a person's act has written by several sessions
 * at once, its request, the audit trail and the node's answer, comes in another order in two runs of the same.
 */
export function orderedIn(records: readonly WalRecord[], minutes: ReadonlySet<number>): WalRecord[] {
  const groups = Map.groupBy(records, ({ minute }) => minute);
  return [...groups].flatMap(([minute, group]) =>
    minutes.has(minute) ? group.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1)) : group,
  );
}

/** The first records that differ, for people. */
export function firstDifference(one: readonly WalRecord[], other: readonly WalRecord[]): string {
  const length = Math.max(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const [a, b] = [one[at], other[at]].map((record) => (record ? textOf(record) : "nothing"));
    if (a !== b) return `record ${at} of ${one.length} and ${other.length}: ${a} against ${b}`;
  }
  return "none";
}

function textOf({ manager, type, length, relation, minute }: WalRecord): string {
  return `${minute} ${manager} ${type} ${length} ${relation}`;
}

function lsnText(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`.toUpperCase();
}
