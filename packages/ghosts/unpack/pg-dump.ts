import { give, type Opener, readWhole } from "./opener.ts";

/** A chunk of a custom dump is its length, as sign and four bytes, and so many bytes (pg_backup_archiver.c, WriteInt). */
const INT_BYTES = 5;
/** What the first chunk of a table begins with: zlib, gzip, LZ4 or zstd. */
const MAGICS = ["7801", "785e", "789c", "78da", "1f8b08", "04224d18", "28b52ffd"].map((hex) =>
  Buffer.from(hex, "hex"),
);
const MAGIC_BYTES = 4;

/**
 * `pg_dump --format=custom`. The table of contents need not be understood, which differs between versions: chunks are
 * found by the magic number that the first of a table has behind its length, and followed to the chunk of length 0.
 */
export const openPgDump: Opener = async (reader, opening) => {
  const dump = await readWhole(reader, opening);
  if (dump === undefined) return;
  for (let at = 0; at + INT_BYTES + MAGIC_BYTES < dump.length; ) {
    const content = beginsTable(dump, at) ? chunksFrom(dump, at) : undefined;
    if (content === undefined) {
      at++;
      continue;
    }
    await give(opening, `data at ${at}`, content.bytes);
    at = content.end;
  }
};

function beginsTable(dump: Buffer, at: number): boolean {
  const start = at + INT_BYTES;
  return dump[at] === 0 && MAGICS.some((magic) => magic.equals(dump.subarray(start, start + magic.length)));
}

function chunksFrom(dump: Buffer, start: number): { bytes: Buffer; end: number } | undefined {
  const chunks: Buffer[] = [];
  for (let at = start; at + INT_BYTES <= dump.length; ) {
    const length = dump.readUInt32LE(at + 1);
    at += INT_BYTES;
    if (dump[at - INT_BYTES] !== 0 || at + length > dump.length) return undefined;
    if (length === 0) return { bytes: Buffer.concat(chunks), end: at };
    chunks.push(dump.subarray(at, at + length));
    at += length;
  }
  return undefined;
}
