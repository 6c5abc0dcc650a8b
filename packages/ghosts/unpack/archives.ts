import { inflateRawSync } from "node:zlib";
import { give, type Opener, type Opening, readWhole, WHOLE_BYTES_MAX } from "./opener.ts";
import type { Reader, Sink } from "./reader.ts";

const TAR_BLOCK_BYTES = 512;

/** A tar in any dialect: what is needed of it is the same in all, since long names are only names. */
export const openTar: Opener = async (reader, opening) => {
  for (;;) {
    const head = await reader.read(TAR_BLOCK_BYTES);
    if (head.length < TAR_BLOCK_BYTES) return;
    if (head.every((byte) => byte === 0)) continue;
    const size = tarSize(head.subarray(124, 136));
    if (size === undefined || head.toString("latin1", 257, 262) !== "ustar") {
      opening.problem("the tar breaks off");
      return;
    }
    const name = head.toString("latin1", 0, 100).replace(/\0.*$/s, "");
    await pass(reader, size, opening.open(name));
    await reader.skip((TAR_BLOCK_BYTES - (size % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES);
  }
};

/** Octal, or, beyond 8 GiB, base 256 with the highest bit set (GNU). */
function tarSize(field: Buffer): number | undefined {
  if ((field.readUInt8() & 0x80) !== 0) return Number(field.readBigUInt64BE(4));
  const octal = field
    .toString("latin1")
    .replace(/[\0 ]+$/, "")
    .trim();
  return /^[0-7]*$/.test(octal) ? Number.parseInt(octal || "0", 8) : undefined;
}

async function pass(reader: Reader, count: number, sink: Sink): Promise<void> {
  for (let missing = count; missing > 0; ) {
    const piece = await reader.piece(missing);
    if (piece.length === 0) break;
    await sink.write(piece);
    missing -= piece.length;
  }
  await sink.end();
}

/** Signatures and fields of APPNOTE.TXT §4.3: local header, central directory, its end. */
const ZIP_ENTRY = 0x02014b50;
const ZIP_END = 0x06054b50;

export const openZip: Opener = async (reader, opening) => {
  const zip = await readWhole(reader, opening);
  const end = zip?.lastIndexOf(Buffer.from("PK\x05\x06")) ?? -1;
  if (zip === undefined) return;
  if (end < 0 || end + 22 > zip.length || zip.readUInt32LE(end) !== ZIP_END) {
    opening.problem("the zip breaks off");
    return;
  }
  let at = zip.readUInt32LE(end + 16);
  for (let count = zip.readUInt16LE(end + 10); count > 0; count--) {
    if (at + 46 > zip.length || zip.readUInt32LE(at) !== ZIP_ENTRY) {
      opening.problem("the zip's list breaks off");
      return;
    }
    await openZipEntry(zip, at, opening);
    at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
};

async function openZipEntry(zip: Buffer, at: number, opening: Opening): Promise<void> {
  const [flags, method] = [zip.readUInt16LE(at + 8), zip.readUInt16LE(at + 10)];
  const [size, local] = [zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 42)];
  const name = zip.toString("latin1", at + 46, at + 46 + zip.readUInt16LE(at + 28));
  if (local + 30 > zip.length) return opening.problem("the zip breaks off");
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  const content = zip.subarray(start, start + size);
  if ((flags & 1) !== 0) return opening.problem(`an entry is encrypted: ${name.slice(0, 40)}`);
  if (method === 0) return give(opening, name, content);
  if (method !== 8) return opening.problem(`an entry has the method ${method}`);
  try {
    await give(opening, name, inflateRawSync(content, { maxOutputLength: WHOLE_BYTES_MAX }));
  } catch {
    opening.problem("an entry of the zip is damaged or too large");
  }
}
