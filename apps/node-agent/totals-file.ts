import { createHash, timingSafeEqual } from "node:crypto";
import { readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Type } from "typebox";
import { Compile } from "typebox/compile";
import { COLUMNS, type Column, type SavedTotals } from "./totals.ts";

/** Linux, `include/uapi/linux/magic.h`: TMPFS_MAGIC, RAMFS_MAGIC. */
const MEMORY_DISKS: readonly number[] = [0x01021994, 0x858458f6];
const FORMAT = 1;
const KEY_BYTES = 32;
const DIGEST_BYTES = 32;
const SLOT_BYTES = KEY_BYTES + 1 + 8 * COLUMNS.length;

const Counter = Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1 });
const Head = Type.Object(
  {
    format: Type.Literal(FORMAT),
    node_id: Type.String(),
    boot_id: Type.String(),
    incarnation: Type.String({ pattern: "^[A-Za-z0-9_-]{22}$" }),
    number: Counter,
    batch: Counter,
    frozen_batch: Type.Union([Counter, Type.Null()]),
    slots: Type.Integer({ minimum: 0, maximum: 4_000_000 }),
  },
  { additionalProperties: false },
);
const head = Compile(Head);

/** Where totals outlive the agent and not the machine. */
export interface TotalsFile {
  /** Undefined when there is none that can be trusted. */
  read(): Promise<SavedTotals | undefined>;
  /** Resolves with whether it was written; a file that could not be is taken away, since it would say less than was told. */
  write(totals: SavedTotals): Promise<boolean>;
  remove(): Promise<void>;
}

/** For an agent that keeps nothing: restarted, it counts from there on. */
export const noTotalsFile: TotalsFile = {
  read: async () => undefined,
  write: async () => true,
  remove: async () => undefined,
};

/** @returns whether a folder lies in memory, so that nothing in it outlives the machine */
export async function isOnMemoryDisk(path: string): Promise<boolean> {
  const { type } = await statfs(dirname(path)).catch(() => ({ type: 0 }));
  return MEMORY_DISKS.includes(type);
}

export interface TotalsFileOptions {
  readonly path: string;
  /** Totals of another node are not trusted. */
  readonly nodeId: string;
  /** Of this start of the machine: counters of an interface do not outlive it. */
  readonly bootId: string;
}

/** Line of JSON, then each slot's key and state, then the columns, then SHA-256 of it all. */
export function createTotalsFile({ path, nodeId, bootId }: TotalsFileOptions): TotalsFile {
  async function remove(): Promise<void> {
    for (const ending of ["", ".new"]) await rm(`${path}${ending}`, { force: true }).catch(() => undefined);
  }
  return {
    async read() {
      const bytes = await readFile(path).catch(() => undefined);
      const totals = bytes && decode(bytes, nodeId, bootId);
      if (bytes && !totals) await remove();
      return totals;
    },
    async write(totals) {
      try {
        await writeFile(`${path}.new`, encode(totals, nodeId, bootId), { mode: 0o600 });
        await rename(`${path}.new`, path);
        return true;
      } catch {
        await remove();
        return false;
      }
    },
    remove,
  };
}

function encode(totals: SavedTotals, nodeId: string, bootId: string): Buffer {
  const { incarnation, number, batch, frozenBatch, keys, removed, columns } = totals;
  const slots = keys.length;
  const line = Buffer.from(
    `${JSON.stringify({
      format: FORMAT,
      node_id: nodeId,
      boot_id: bootId,
      incarnation,
      number,
      batch,
      frozen_batch: frozenBatch,
      slots,
    })}\n`,
  );
  const body = Buffer.alloc(slots * SLOT_BYTES);
  for (const [slot, key] of keys.entries()) body.write(key, slot * KEY_BYTES, KEY_BYTES, "base64");
  let at = slots * KEY_BYTES;
  body.set(removed.subarray(0, slots), at);
  at += slots;
  for (const column of COLUMNS) {
    const { buffer, byteOffset } = columns[column];
    body.set(new Uint8Array(buffer, byteOffset, 8 * slots), at);
    at += 8 * slots;
  }
  const digest = createHash("sha256").update(line).update(body).digest();
  return Buffer.concat([line, body, digest]);
}

function decode(bytes: Buffer, nodeId: string, bootId: string): SavedTotals | undefined {
  const end = bytes.indexOf("\n") + 1;
  if (end === 0 || bytes.length < end + DIGEST_BYTES) return undefined;
  const digest = createHash("sha256").update(bytes.subarray(0, -DIGEST_BYTES)).digest();
  if (!timingSafeEqual(digest, bytes.subarray(-DIGEST_BYTES))) return undefined;
  const said = parseJson(bytes.toString("utf8", 0, end));
  if (!head.Check(said) || said.node_id !== nodeId || said.boot_id !== bootId) return undefined;
  const { slots, incarnation, number, batch } = said;
  const body = bytes.subarray(end, -DIGEST_BYTES);
  if (body.length !== slots * SLOT_BYTES) return undefined;
  const keys = Array.from({ length: slots }, (_, slot) =>
    body.toString("base64", slot * KEY_BYTES, (slot + 1) * KEY_BYTES),
  );
  let at = slots * KEY_BYTES;
  const removed = Uint8Array.from(body.subarray(at, at + slots));
  at += slots;
  const columnAt = (column: Column) => {
    const from = at + COLUMNS.indexOf(column) * 8 * slots;
    return new Float64Array(Uint8Array.from(body.subarray(from, from + 8 * slots)).buffer);
  };
  const columns = {
    received: columnAt("received"),
    sent: columnAt("sent"),
    settledReceived: columnAt("settledReceived"),
    settledSent: columnAt("settledSent"),
    frozenReceived: columnAt("frozenReceived"),
    frozenSent: columnAt("frozenSent"),
    rawReceived: columnAt("rawReceived"),
    rawSent: columnAt("rawSent"),
  };
  return { incarnation, number, batch, frozenBatch: said.frozen_batch, keys, removed, columns };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
