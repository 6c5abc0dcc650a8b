import { Readable, type Transform } from "node:stream";
import { createGunzip, createInflate, createZstdDecompress, constants as zlib } from "node:zlib";
import { decodeLz4Block } from "./codecs.ts";
import type { Opener, Opening } from "./opener.ts";
import type { Reader } from "./reader.ts";

/** What was cut off is given as far as it goes. */
const PARTIAL = { finishFlush: zlib.Z_SYNC_FLUSH };

export const openGzip: Opener = (reader, opening) => decode(reader, createGunzip(PARTIAL), opening);
export const openZlib: Opener = (reader, opening) => decode(reader, createInflate(PARTIAL), opening);
export const openZstd: Opener = (reader, opening) => decode(reader, createZstdDecompress(), opening);

async function decode(reader: Reader, decoder: Transform, opening: Opening): Promise<void> {
  const sink = opening.open("content");
  // A destroyed stream drops what it holds, so an early end of reading must not be taken for the end of the file.
  const source = Readable.from(pieces(reader), { objectMode: false });
  source.on("error", (error) => decoder.destroy(error));
  try {
    for await (const piece of source.pipe(decoder)) await sink.write(piece as Buffer);
  } catch (error) {
    opening.problem(`the compressed content breaks off: ${codeOf(error)}`);
  } finally {
    source.destroy();
  }
  await sink.end();
}

async function* pieces(reader: Reader): AsyncGenerator<Buffer> {
  for (let piece = await reader.piece(); piece.length > 0; piece = await reader.piece())
    yield Buffer.from(piece);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}

const LZ4_MAGIC = 0x184d2204;
const LZ4_BLOCK_BYTES_MAX: Readonly<Record<number, number>> = {
  4: 65_536,
  5: 262_144,
  6: 1_048_576,
  7: 4_194_304,
};
/** Blocks may refer to so much of what stands before them. */
const LZ4_HISTORY_BYTES = 65_536;

/** @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md */
export const openLz4: Opener = async (reader, opening) => {
  const sink = opening.open("content");
  for (;;) {
    const head = await reader.read(7);
    if (head.length === 0) break;
    if (head.length < 7 || head.readUInt32LE() !== LZ4_MAGIC) {
      opening.problem("something else stands behind the LZ4 frame");
      break;
    }
    if (!(await lz4Blocks(reader, head.readUInt8(4), head.readUInt8(5), sink.write))) {
      opening.problem("the compressed content breaks off");
      break;
    }
  }
  await sink.end();
};

/** @returns undefined when the block is not whole */
async function lz4Block(
  reader: Reader,
  sizeMax: number,
  history: Buffer,
): Promise<Buffer | "end" | undefined> {
  const head = await reader.read(4);
  if (head.length < 4) return undefined;
  const size = head.readUInt32LE() & 0x7fffffff;
  if (size === 0) return "end";
  const block = size > sizeMax ? Buffer.alloc(0) : await reader.read(size);
  if (block.length !== size) return undefined;
  const isStored = (head.readUInt32LE() & 0x80000000) !== 0;
  return isStored ? block : decodeLz4Block(block, sizeMax, history);
}

/** @returns false when the frame is not whole */
async function lz4Blocks(
  reader: Reader,
  flags: number,
  descriptor: number,
  write: (chunk: Buffer) => void | Promise<void>,
): Promise<boolean> {
  const [areApart, hasBlockSums] = [(flags & 0x20) !== 0, (flags & 0x10) !== 0];
  const sizeMax = LZ4_BLOCK_BYTES_MAX[(descriptor >> 4) & 7];
  if (sizeMax === undefined) return false;
  // Seven bytes are read: magic, flags, descriptor, and the first of what follows or the header's checksum.
  await reader.skip(((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0));
  let history: Buffer = Buffer.alloc(0);
  for (;;) {
    const content = await lz4Block(reader, sizeMax, areApart ? Buffer.alloc(0) : history);
    if (content === undefined) return false;
    if (content === "end") break;
    history = Buffer.concat([history, content]).subarray(-LZ4_HISTORY_BYTES);
    await write(content);
    if (hasBlockSums) await reader.skip(4);
  }
  if ((flags & 0x04) !== 0) await reader.skip(4);
  return true;
}
