import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { invariant } from "@securewave/foundation";
import type { Mark } from "@securewave/live";

const ALGORITHM = "aes-256-gcm";
const GENERATION_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PLAIN_AT = GENERATION_BYTES + NONCE_BYTES;
const ROW_PLAIN_BYTES = 32;
/** Of every row, whatever is in it. */
export const ROW_BYTES = PLAIN_AT + ROW_PLAIN_BYTES + TAG_BYTES;
const ROW_FORMAT = 1;

/** Nodes on one page of marks. */
export const MARKS_PER_PAGE = 64;
const NODE_ID_BYTES = 32;
const INCARNATION_BYTES = 32;
const BATCH_BYTES = 6;
const MONTH_BYTES = 4;
const BATCH_AT = NODE_ID_BYTES + INCARNATION_BYTES;
const MONTH_AT = BATCH_AT + BATCH_BYTES;
const MARK_BYTES = MONTH_AT + MONTH_BYTES;
export const PAGE_BYTES = PLAIN_AT + MARKS_PER_PAGE * MARK_BYTES + TAG_BYTES;

/** What a row of the ledger says. */
export interface LedgerRow {
  /** Year × 12 + month from 0, in UTC. */
  readonly month: number;
  readonly usedMiB: number;
  /** The percent of the quota that its owner was told of in that month; 0 for nothing. */
  readonly told: number;
}

/** A mark as it is kept; its incarnation is empty for a node of which nothing was settled yet. */
export interface KeptMark extends Mark {
  /** No byte that the node has not settled is of an earlier month, by its number; 0 where that is not known. */
  readonly month: number;
}

/** Takes a key in the form in which using it costs least, and overwrites what it was given. */
export function takeKey(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/** The generation that a row or page was sealed under; 0 for an account's first row, which says nothing. */
export function generationOf(sealed: Buffer): number {
  return sealed.readUInt32BE(0);
}

/** Seals many rows behind each other; the nth is of the nth account. */
export function sealRows(
  key: KeyObject,
  generation: number,
  accountIds: readonly string[],
  rowOf: (index: number) => LedgerRow,
): Buffer {
  const sealed = Buffer.alloc(accountIds.length * ROW_BYTES);
  const plain = Buffer.alloc(ROW_PLAIN_BYTES);
  const nonces = randomBytes(accountIds.length * NONCE_BYTES);
  accountIds.forEach((accountId, index) => {
    const { month, usedMiB, told } = rowOf(index);
    plain.writeUInt8(ROW_FORMAT, 0);
    plain.writeUInt8(told, 1);
    plain.writeUInt32BE(month, 2);
    plain.writeUInt32BE(usedMiB, 6);
    const target = sealed.subarray(index * ROW_BYTES, (index + 1) * ROW_BYTES);
    const nonce = nonces.subarray(index * NONCE_BYTES, (index + 1) * NONCE_BYTES);
    sealInto(target, key, generation, nonce, plain, contextOf("row", generation, accountId));
  });
  plain.fill(0);
  return sealed;
}

/** @returns undefined when this key does not open it, or it belongs to another account or generation */
export function openRow(
  key: KeyObject,
  generation: number,
  accountId: string,
  sealed: Buffer,
): LedgerRow | undefined {
  if (sealed.length !== ROW_BYTES) return undefined;
  const plain = open(key, sealed, contextOf("row", generation, accountId));
  if (plain?.readUInt8(0) !== ROW_FORMAT) return undefined;
  return { told: plain.readUInt8(1), month: plain.readUInt32BE(2), usedMiB: plain.readUInt32BE(6) };
}

/** Seals what is known of some nodes; the page is as long when nothing is. */
export function sealPage(
  key: KeyObject,
  generation: number,
  page: number,
  marks: readonly KeptMark[],
): Buffer {
  invariant(marks.length <= MARKS_PER_PAGE, "a page holds so many marks and no more");
  const plain = Buffer.alloc(MARKS_PER_PAGE * MARK_BYTES);
  marks.forEach(({ nodeId, incarnation, batch, month }, index) => {
    invariant(nodeId.length <= NODE_ID_BYTES, "a node's id fits its place");
    invariant(incarnation.length <= INCARNATION_BYTES, "an incarnation fits its place");
    const at = index * MARK_BYTES;
    plain.write(nodeId, at, "latin1");
    plain.write(incarnation, at + NODE_ID_BYTES, "latin1");
    plain.writeUIntBE(batch, at + BATCH_AT, BATCH_BYTES);
    plain.writeUInt32BE(month, at + MONTH_AT);
  });
  const sealed = Buffer.alloc(PAGE_BYTES);
  sealInto(
    sealed,
    key,
    generation,
    randomBytes(NONCE_BYTES),
    plain,
    contextOf("page", generation, `${page}`),
  );
  return sealed;
}

/** @returns undefined when this key does not open it */
export function openPage(
  key: KeyObject,
  generation: number,
  page: number,
  sealed: Buffer,
): KeptMark[] | undefined {
  if (sealed.length !== PAGE_BYTES) return undefined;
  const plain = open(key, sealed, contextOf("page", generation, `${page}`));
  if (plain === undefined) return undefined;
  const marks = Array.from({ length: MARKS_PER_PAGE }, (_, index) => {
    const mark = plain.subarray(index * MARK_BYTES, (index + 1) * MARK_BYTES);
    return {
      nodeId: textOf(mark.subarray(0, NODE_ID_BYTES)),
      incarnation: textOf(mark.subarray(NODE_ID_BYTES, BATCH_AT)),
      batch: mark.readUIntBE(BATCH_AT, BATCH_BYTES),
      month: mark.readUInt32BE(MONTH_AT),
    };
  });
  return marks.filter(({ nodeId }) => nodeId !== "");
}

function contextOf(kind: "row" | "page", generation: number, name: string): Buffer {
  return Buffer.from(`usage ledger ${kind} ${generation} ${name}`, "latin1");
}

function sealInto(
  target: Buffer,
  key: KeyObject,
  generation: number,
  nonce: Buffer,
  plain: Buffer,
  context: Buffer,
): void {
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(context);
  target.writeUInt32BE(generation, 0);
  target.set(nonce, GENERATION_BYTES);
  target.set(cipher.update(plain), PLAIN_AT);
  cipher.final();
  target.set(cipher.getAuthTag(), target.length - TAG_BYTES);
}

function open(key: KeyObject, sealed: Buffer, context: Buffer): Buffer | undefined {
  const nonce = sealed.subarray(GENERATION_BYTES, PLAIN_AT);
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(context);
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const plain = decipher.update(sealed.subarray(PLAIN_AT, -TAG_BYTES));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("latin1", 0, end === -1 ? bytes.length : end);
}
