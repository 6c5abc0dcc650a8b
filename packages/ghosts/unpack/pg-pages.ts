import { decodeLz4Block, decodePglz } from "./codecs.ts";
import type { Opener } from "./opener.ts";
import type { Sink } from "./reader.ts";

/** PostgreSQL's default, which all packages have. */
export const PAGE_BYTES = 8192;
const HEADER_BYTES = 24;
/** `SizeofHeapTupleHeader`; where t_infomask2 and t_hoff are in it. */
export const TUPLE_HEADER_BYTES = 23;
const INFOMASK2_AT = 18;
const HOFF_AT = 22;
/** storage/bufpage.h: page size and layout version 4 share a field. */
const SIZE_AND_VERSION = PAGE_BYTES | 4;
/** A TOAST tuple's columns: chunk_id, chunk_seq, and chunk_data with a header of 4 bytes. */
const TOAST_DATA_AT = 8;
const PLAIN_BYTES_MAX = 64 * 1024 * 1024;
/** Neither compression makes more than so many bytes of one. */
const RATIO_MAX = 256;
/** Chunks of values whose other chunks do not come are let go of after so many. */
const CHUNKS_MAX = 20_000;

export function isPage(bytes: Buffer): boolean {
  if (bytes.length < HEADER_BYTES) return false;
  const [lower, upper, special] = [bytes.readUInt16LE(12), bytes.readUInt16LE(14), bytes.readUInt16LE(16)];
  const isOrdered = lower >= HEADER_BYTES && lower <= upper && upper <= special && special <= PAGE_BYTES;
  return bytes.readUInt16LE(18) === SIZE_AND_VERSION && isOrdered;
}

/**
 * A table's or index's file: the values that were compressed (pglz or LZ4, within a row or in TOAST chunks), one behind
 * the other. Which columns there are is in the catalogue, so compressed values are known by their form alone: length,
 * size, and content that decodes to just that size.
 */
export const openPages: Opener = async (reader, opening) => {
  const sink = opening.open("compressed values");
  const values = createValues(sink);
  for (let page = await reader.read(PAGE_BYTES); page.length > 0; page = await reader.read(PAGE_BYTES)) {
    await values.takePage(page);
  }
  await values.end();
  await sink.end();
};

/** Gives a sink what is compressed in the rows that it is shown. */
export function createValues(sink: Sink) {
  const chunks = createChunks(sink);
  async function takeTuple(tuple: Buffer): Promise<void> {
    for (const value of compressedValues(tuple)) await separate(sink, value);
    await chunks.take(tuple);
  }
  return {
    takeTuple,
    async takePage(page: Buffer): Promise<void> {
      if (page.length !== PAGE_BYTES || !isPage(page)) return;
      for (const tuple of tuplesOf(page)) await takeTuple(tuple);
    },
    end: chunks.end,
  };
}

async function separate(sink: Sink, value: Buffer): Promise<void> {
  await sink.write(value);
  await sink.write(Buffer.of(0));
}

/** What stands behind the line pointers (storage/itemid.h: 15 bits offset, 2 bits flags, 15 bits length). */
function* tuplesOf(page: Buffer): Generator<Buffer> {
  for (let at = HEADER_BYTES; at + 4 <= page.readUInt16LE(12); at += 4) {
    const pointer = page.readUInt32LE(at);
    const [offset, length] = [pointer & 0x7fff, pointer >>> 17];
    if (length > 0 && offset + length <= PAGE_BYTES) yield page.subarray(offset, offset + length);
  }
}

/** varatt.h, `va_compressed`: length with the bits 10 below, size with two bits of method, content. At 4 bytes' alignment. */
function* compressedValues(tuple: Buffer): Generator<Buffer> {
  for (let at = 0; at + 12 <= tuple.length; at += 4) {
    const header = tuple.readUInt32LE(at);
    const length = header >>> 2;
    if ((header & 3) !== 2 || length < 12 || at + length > tuple.length) continue;
    const value = decodeValue(tuple.subarray(at + 4, at + length));
    if (value !== undefined) yield value;
  }
}

/** Size and method, then the content. */
function decodeValue(bytes: Buffer): Buffer | undefined {
  const info = bytes.readUInt32LE();
  const [size, method] = [info & 0x3fffffff, info >>> 30];
  const content = bytes.subarray(4);
  if (size < content.length || size > Math.min(PLAIN_BYTES_MAX, RATIO_MAX * content.length)) return undefined;
  if (method === 0) return decodePglz(content, size);
  const value = method === 1 ? decodeLz4Block(content, size) : undefined;
  return value?.length === size ? value : undefined;
}

/** A row as a record of the write-ahead log has it: t_infomask2, t_infomask, t_hoff, and what stands behind the header. */
export function tupleOfRecord(data: Buffer): Buffer | undefined {
  if (data.length < 6) return undefined;
  const header = Buffer.alloc(TUPLE_HEADER_BYTES);
  data.copy(header, INFOMASK2_AT, 0, 5);
  return Buffer.concat([header, data.subarray(5)]);
}

/** Gathers the chunks of values that lie out of line. */
function createChunks(sink: Sink) {
  const values = new Map<number, Map<number, Buffer>>();
  let count = 0;

  async function giveAll(): Promise<void> {
    for (const chunks of values.values()) {
      const whole = Buffer.concat([...chunks.entries()].sort(([a], [b]) => a - b).map(([, data]) => data));
      await separate(sink, (whole.length > 4 ? decodeValue(whole) : undefined) ?? whole);
    }
    values.clear();
    count = 0;
  }
  return {
    async take(tuple: Buffer): Promise<void> {
      const chunk = chunkOf(tuple);
      if (chunk === undefined) return;
      const known = values.get(chunk.id) ?? new Map<number, Buffer>();
      values.set(chunk.id, known.set(chunk.sequence, Buffer.from(chunk.data)));
      if (++count >= CHUNKS_MAX) await giveAll();
    },
    end: giveAll,
  };
}

/** access/htup_details.h: t_infomask2 has the number of columns, t_hoff the length of the header. */
function chunkOf(tuple: Buffer): { id: number; sequence: number; data: Buffer } | undefined {
  if (tuple.length < HEADER_BYTES + TOAST_DATA_AT + 4) return undefined;
  const start = tuple.readUInt8(HOFF_AT);
  const dataAt = start + TOAST_DATA_AT;
  if ((tuple.readUInt16LE(INFOMASK2_AT) & 0x7ff) !== 3 || dataAt + 4 > tuple.length) return undefined;
  const header = tuple.readUInt32LE(dataAt);
  const isWhole = (header & 3) === 0 && dataAt + (header >>> 2) === tuple.length;
  if (!isWhole) return undefined;
  return {
    id: tuple.readUInt32LE(start),
    sequence: tuple.readUInt32LE(start + 4),
    data: tuple.subarray(dataAt + 4),
  };
}
