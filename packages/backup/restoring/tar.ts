import { closeSync, mkdirSync, openSync, symlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { backupErrors } from "../errors.ts";

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
/** POSIX ustar: where the fields of a header begin, and their lengths. */
const SIZE = [124, 12] as const;
const CHECKSUM = [148, 8] as const;
const TYPE_AT = 156;
const LINK = [157, 100] as const;
const PREFIX = [345, 155] as const;

interface Entry {
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  readonly link: string;
}

/**
 * Unpacks the tar file of a base into a folder. Nothing is brought to the disk: PostgreSQL does that before it recovers.
 *
 * @param onWritten gets the bytes unpacked so far
 * @throws backup.damaged
 */
export async function unpackTar(
  source: AsyncIterable<Buffer>,
  dir: string,
  onWritten: (bytes: number) => void,
): Promise<void> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const unpacking = createUnpacking(dir);
  let done = 0;
  try {
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; ) at += unpacking.take(chunk.subarray(at));
      done += chunk.length;
      onWritten(done);
    }
  } finally {
    unpacking.close();
  }
  if (!unpacking.isWhole()) throw damaged("it ends too early");
}

function createUnpacking(dir: string) {
  let header = Buffer.alloc(0);
  let file: number | undefined;
  let left = 0;
  let padding = 0;
  let isEnded = false;

  const close = () => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  const takeContent = (part: Buffer) => {
    if (file !== undefined) writeAll(file, part);
    left -= part.length;
    if (left === 0) close();
    return part.length;
  };
  const takeHeader = (part: Buffer) => {
    header = Buffer.concat([header, part]);
    if (header.length < BLOCK_BYTES) return part.length;
    const entry = readHeader(header);
    header = Buffer.alloc(0);
    if (entry === undefined) isEnded = true;
    else {
      file = make(dir, entry);
      left = entry.bytes;
      padding = (BLOCK_BYTES - (left % BLOCK_BYTES)) % BLOCK_BYTES;
      if (left === 0) close();
    }
    return part.length;
  };

  return {
    /** @returns how many of the bytes it took */
    take(bytes: Buffer): number {
      if (left > 0) return takeContent(bytes.subarray(0, left));
      const skipped = Math.min(padding, bytes.length);
      padding -= skipped;
      return skipped > 0 ? skipped : takeHeader(bytes.subarray(0, BLOCK_BYTES - header.length));
    },
    isWhole: () => isEnded && left === 0 && header.length === 0,
    close,
  };
}

/** @returns undefined for the zeros at the end */
function readHeader(block: Buffer): Entry | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  const text = ([from, length]: readonly [number, number]) =>
    block.toString("utf8", from, from + length).replace(/\0.*$/s, "");
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (Number.parseInt(text(CHECKSUM), 8) !== sum) throw damaged("a header of it is wrong");
  const [sizeAt, sizeBytes] = SIZE;
  // Sizes that eight digits cannot say are binary, by GNU's extension.
  const isBinary = ((block[sizeAt] ?? 0) & 0x80) !== 0;
  const bytes = isBinary
    ? Number(block.readBigUInt64BE(sizeAt + sizeBytes - 8))
    : Number.parseInt(text(SIZE), 8) || 0;
  const prefix = text(PREFIX);
  const name = `${prefix === "" ? "" : `${prefix}/`}${text([0, NAME_BYTES])}`.replace(/^\.\//, "");
  if (name.startsWith("/") || name.split("/").includes(".."))
    throw damaged("a name in it leads out of the folder");
  const type = String.fromCharCode(block[TYPE_AT] ?? 0);
  return { name, type, bytes: type === "5" || type === "2" ? 0 : bytes, link: text(LINK) };
}

/** @returns the file to write to */
function make(dir: string, { name, type, link }: Entry): number | undefined {
  const path = join(dir, name);
  if (type === "0" || type === "\0") return openSync(path, "w", 0o600);
  if (type === "5") mkdirSync(path, { recursive: true, mode: 0o700 });
  else if (type === "2") symlinkSync(link, path);
  return undefined;
}

function writeAll(file: number, part: Buffer): void {
  for (let from = 0; from < part.length; ) from += writeSync(file, part, from);
}

function damaged(reason: string) {
  return backupErrors.damaged({
    detail: `The base cannot be unpacked: ${reason}. Restore from another one.`,
  });
}
