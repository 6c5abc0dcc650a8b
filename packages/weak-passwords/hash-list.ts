import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { defineErrors } from "@securewave/foundation";

/**
 * A set of texts in a file, by three bytes of each one's SHA-1. A short list is kept in memory; one of any length
 * is looked up by two short reads. It answers "yes" for a text that is not in it once in a million times.
 *
 * Layout: "SWHL", version (1), bits of a bucket's number b (1), zero (2); where each bucket begins, counted in entries
 * (2^b + 1 of 32 bits, little endian); the entries, sorted. The first b bits of a SHA-1 are the number of its
 * bucket, the 24 after them its entry.
 */
export interface HashList {
  readonly size: number;
  has(text: string): boolean;
  close(): void;
}

export const hashListErrors = defineErrors("hash_list", {
  unreadable: { status: 500, message: "A list of passwords cannot be read. Make it anew." },
});

const MAGIC = Buffer.from("SWHL\x01");
const HEADER_BYTES = 8;
const OFFSET_BYTES = 4;
const ENTRY_BYTES = 3;
const ENTRY_BITS = 24;
/** A key is so much of a hash that it is an exact number. */
const KEY_BITS = 48;
const BUCKET_BITS_MAX = KEY_BITS - ENTRY_BITS;
/** Entries in a bucket, at most, on average. More make the file smaller and wrong answers more frequent. */
const BUCKET_LOAD_MAX = 16;
const KEPT_BYTES_MAX = 1024 * 1024;

/** The first 48 bits of a text's SHA-1. */
export function keyOf(text: string): number {
  return createHash("sha1")
    .update(text)
    .digest()
    .readUIntBE(0, KEY_BITS / 8);
}

/** @param hex SHA-1 in hex */
export function keyOfHash(hex: string): number {
  return Number.parseInt(hex.slice(0, KEY_BITS / 4), 16);
}

/** @param keys in any order; sorted in place */
export function encodeHashList(keys: Float64Array): Buffer {
  keys.sort();
  const bits = Math.min(BUCKET_BITS_MAX, Math.max(1, Math.ceil(Math.log2(keys.length / BUCKET_LOAD_MAX))));
  const buckets = 2 ** bits;
  const list = Buffer.alloc(entriesAt(bits) + keys.length * ENTRY_BYTES);
  MAGIC.copy(list);
  list[MAGIC.length] = bits;
  let bucket = 0;
  keys.forEach((key, index) => {
    const own = Math.floor(key / 2 ** (KEY_BITS - bits));
    while (bucket < own) writeOffset(list, ++bucket, index);
    list.writeUIntBE(entryOf(key, bits), entriesAt(bits) + index * ENTRY_BYTES, ENTRY_BYTES);
  });
  while (bucket < buckets) writeOffset(list, ++bucket, keys.length);
  return list;
}

/** @throws hash_list.unreadable */
export function openHashList(path: string): HashList {
  const file = openFile(path);
  try {
    return readerOf(file);
  } catch (error) {
    file.close();
    throw error;
  }
}

function readerOf(file: ListFile): HashList {
  const header = file.read(0, HEADER_BYTES);
  const bits = header[MAGIC.length] ?? 0;
  const isOurs = header.subarray(0, MAGIC.length).equals(MAGIC) && bits >= 1 && bits <= BUCKET_BITS_MAX;
  if (!isOurs) throw hashListErrors.unreadable();
  const size = file.read(offsetAt(2 ** bits), OFFSET_BYTES).readUInt32LE();
  if (file.bytes !== entriesAt(bits) + size * ENTRY_BYTES) throw hashListErrors.unreadable();

  return {
    size,
    has(text) {
      const key = keyOf(text);
      const bounds = file.read(offsetAt(Math.floor(key / 2 ** (KEY_BITS - bits))), 2 * OFFSET_BYTES);
      const [begin, end] = [bounds.readUInt32LE(), bounds.readUInt32LE(OFFSET_BYTES)];
      const bucket = file.read(entriesAt(bits) + begin * ENTRY_BYTES, (end - begin) * ENTRY_BYTES);
      const entry = entryOf(key, bits);
      for (let at = 0; at < bucket.length; at += ENTRY_BYTES)
        if (bucket.readUIntBE(at, ENTRY_BYTES) === entry) return true;
      return false;
    },
    close: file.close,
  };
}

function entryOf(key: number, bits: number): number {
  return Math.floor(key / 2 ** (KEY_BITS - bits - ENTRY_BITS)) % 2 ** ENTRY_BITS;
}

function offsetAt(bucket: number): number {
  return HEADER_BYTES + bucket * OFFSET_BYTES;
}

function entriesAt(bits: number): number {
  return offsetAt(2 ** bits + 1);
}

function writeOffset(list: Buffer, bucket: number, index: number): void {
  list.writeUInt32LE(index, offsetAt(bucket));
}

interface ListFile {
  readonly bytes: number;
  /** @throws hash_list.unreadable when the file is shorter */
  read(position: number, length: number): Buffer;
  close(): void;
}

function openFile(path: string): ListFile {
  try {
    const file = openSync(path, "r");
    const bytes = fstatSync(file).size;
    if (bytes > KEPT_BYTES_MAX) return { bytes, read: readerFrom(file), close: () => closeSync(file) };
    const kept = readFileSync(file);
    closeSync(file);
    const read = (position: number, length: number) =>
      whole(kept.subarray(position, position + length), length);
    return { bytes: kept.length, read, close() {} };
  } catch {
    throw hashListErrors.unreadable();
  }
}

function readerFrom(file: number): ListFile["read"] {
  return (position, length) => {
    const bytes = Buffer.alloc(length);
    return whole(bytes.subarray(0, readSync(file, bytes, 0, length, position)), length);
  };
}

function whole(bytes: Buffer, length: number): Buffer {
  if (bytes.length !== length) throw hashListErrors.unreadable();
  return bytes;
}
