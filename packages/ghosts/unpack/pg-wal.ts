import { zstdDecompressSync } from "node:zlib";
import { decodeLz4Block, decodePglz } from "./codecs.ts";
import type { Opener } from "./opener.ts";
import { createValues, PAGE_BYTES, tupleOfRecord } from "./pg-pages.ts";
import type { Reader } from "./reader.ts";

/** access/xlog_internal.h: `XLOG_PAGE_MAGIC` is 0xD1 and a number that grows with each version. */
const MAGIC_HIGH = 0xd1;
const SHORT_HEADER_BYTES = 24;
const LONG_HEADER_BYTES = 40;
const LONG_HEADER = 0x0002;
/** access/xlogrecord.h */
const RECORD_HEADER_BYTES = 24;
const BLOCK_ID_MAX = 32;
const DATA_SHORT = 255;
const DATA_LONG = 254;
/** How long each header is that is not a block's: data, origin, top-level transaction. */
const OTHER_HEADERS: Readonly<Record<number, number>> = { [DATA_SHORT]: 2, [DATA_LONG]: 5, 253: 3, 252: 5 };
const HAS_IMAGE = 0x10;
const SAME_RELATION = 0x80;
const IMAGE_HAS_HOLE = 0x01;
const RECORD_BYTES_MAX = 64 * 1024 * 1024;

export function isWalPage(bytes: Buffer): boolean {
  if (bytes.length < SHORT_HEADER_BYTES) return false;
  return (
    bytes[1] === MAGIC_HIGH &&
    bytes.readBigUInt64LE(8) % BigInt(PAGE_BYTES) === 0n &&
    bytes.readUInt16LE(2) < 16
  );
}

/**
 * A segment of the write-ahead log: its records without the headers of pages, which else cut through values; the
 * images of pages that `wal_compression` hid; and values that were compressed in rows and images.
 */
export const openWal: Opener = async (reader, opening) => {
  const sink = opening.open("records");
  const images = opening.open("compressed page images");
  const compressed = opening.open("compressed values");
  const values = createValues(compressed);
  async function takeRecord(record: Buffer): Promise<void> {
    await sink.write(record);
    for (const block of blocksOf(record)) {
      if (block.image === undefined) {
        const tuple = tupleOfRecord(block.data);
        if (tuple !== undefined) await values.takeTuple(tuple);
        continue;
      }
      const image = imageOf(block.data, block.image);
      if (image === undefined) continue;
      if (isCompressed(block.image.info)) await images.write(image);
      await values.takePage(image);
    }
  }
  const records = createRecords();
  for (let page = await readPage(reader); page !== undefined; page = await readPage(reader)) {
    const { loose, whole } = records.take(page);
    for (const bytes of loose) await sink.write(bytes);
    for (const record of whole) await takeRecord(record);
  }
  for (const piece of records.rest()) await sink.write(piece);
  await values.end();
  for (const one of [sink, images, compressed]) await one.end();
};

/** Puts records together that pages cut. */
function createRecords() {
  let carried: Buffer[] = [];
  /** What the record that is carried still lacks. */
  let missing = 0;

  return {
    rest: () => carried,
    /** @returns the records that end on a page, and what of it belongs to none that can be known */
    take({ content, isContinued, remaining }: Page): { loose: Buffer[]; whole: Buffer[] } {
      const whole: Buffer[] = [];
      // The end of a record that began in another segment.
      let at = missing === 0 && isContinued ? align(remaining) : 0;
      const loose = [content.subarray(0, at)];
      while (at < content.length) {
        if (missing === 0) missing = lengthAt(content, at);
        if (missing === 0) {
          // Beyond the end of the log stands what the segment held when it was used before.
          loose.push(content.subarray(at));
          break;
        }
        const piece = content.subarray(at, at + missing);
        carried.push(Buffer.from(piece));
        missing -= piece.length;
        at += align(piece.length);
        if (missing > 0) break;
        whole.push(Buffer.concat(carried));
        carried = [];
      }
      return { loose, whole };
    },
  };
}

/** @returns 0 where no record can begin */
function lengthAt(content: Buffer, at: number): number {
  const length = at + 4 > content.length ? 0 : content.readUInt32LE(at);
  return length < RECORD_HEADER_BYTES || length > RECORD_BYTES_MAX ? 0 : length;
}

interface Page {
  readonly content: Buffer;
  /** Whether it begins with the rest of a record, of so many bytes. */
  readonly isContinued: boolean;
  readonly remaining: number;
}

async function readPage(reader: Reader): Promise<Page | undefined> {
  const page = await reader.read(PAGE_BYTES);
  if (page.length === 0) return undefined;
  if (!isWalPage(page)) return { content: Buffer.alloc(0), isContinued: false, remaining: 0 };
  const info = page.readUInt16LE(2);
  const start = (info & LONG_HEADER) !== 0 ? LONG_HEADER_BYTES : SHORT_HEADER_BYTES;
  return { content: page.subarray(start), isContinued: (info & 1) !== 0, remaining: page.readUInt32LE(16) };
}

/** `MAXALIGN` */
function align(length: number): number {
  return 8 * Math.ceil(length / 8);
}

interface Block {
  readonly data: Buffer;
  /** For an image of a page; other data has none. */
  readonly image: Image | undefined;
}

/** A record's headers come first, then the data of all of them, an image before a block's other data. */
function blocksOf(record: Buffer): Block[] {
  const layout: { readonly length: number; readonly image: Image | undefined }[] = [];
  let at = RECORD_HEADER_BYTES;
  let total = 0;
  try {
    while (at + total < record.length) {
      const id = record.readUInt8(at);
      const other = OTHER_HEADERS[id];
      if (other !== undefined) at += other;
      if (id === DATA_SHORT || id === DATA_LONG) break;
      if (other !== undefined) continue;
      if (id > BLOCK_ID_MAX) return [];
      const { end, dataLength, image } = blockHeader(record, at);
      if (image !== undefined) layout.push({ length: image.length, image });
      layout.push({ length: dataLength, image: undefined });
      total += (image?.length ?? 0) + dataLength;
      at = end;
    }
  } catch {
    return []; // headers that reach beyond the record are none
  }
  return layout.map(({ length, image }) => {
    const data = record.subarray(at, at + length);
    at += length;
    return { data, image };
  });
}

interface Image {
  readonly length: number;
  /** The free space of the page, which is left out. */
  readonly holeAt: number;
  readonly holeLength: number;
  readonly info: number;
}

/** XLogRecordBlockHeader, -ImageHeader, -CompressHeader, then the relation and the block's number. */
function blockHeader(
  record: Buffer,
  start: number,
): { end: number; dataLength: number; image: Image | undefined } {
  const flags = record.readUInt8(start + 1);
  const dataLength = record.readUInt16LE(start + 2);
  let end = start + 4;
  let image: Image | undefined;
  if ((flags & HAS_IMAGE) !== 0) {
    const [length, holeAt] = [record.readUInt16LE(end), record.readUInt16LE(end + 2)];
    const info = record.readUInt8(end + 4);
    end += 5;
    let holeLength = 0;
    if ((info & IMAGE_HAS_HOLE) !== 0) {
      holeLength = isCompressed(info) ? record.readUInt16LE(end) : PAGE_BYTES - length;
      if (isCompressed(info)) end += 2;
    }
    image = { length, holeAt, holeLength, info };
  }
  if ((flags & SAME_RELATION) === 0) end += 12;
  return { end: end + 4, dataLength, image };
}

/** `BKPIMAGE_COMPRESS_PGLZ`, `_LZ4`, `_ZSTD` since PostgreSQL 15. */
function isCompressed(info: number): boolean {
  return (info & (0x04 | 0x08 | 0x10)) !== 0;
}

function imageOf(data: Buffer, { holeAt, holeLength, info }: Image): Buffer | undefined {
  const plain = isCompressed(info) ? decodeImage(data, PAGE_BYTES - holeLength, info) : data;
  if (plain === undefined || plain.length + holeLength !== PAGE_BYTES) return undefined;
  return Buffer.concat([plain.subarray(0, holeAt), Buffer.alloc(holeLength), plain.subarray(holeAt)]);
}

function decodeImage(data: Buffer, size: number, info: number): Buffer | undefined {
  if ((info & 0x04) !== 0) return decodePglz(data, size);
  if ((info & 0x08) !== 0) return decodeLz4Block(data, size);
  try {
    return zstdDecompressSync(data, { maxOutputLength: PAGE_BYTES });
  } catch {
    return undefined;
  }
}
