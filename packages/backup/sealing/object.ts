import { createHash } from "node:crypto";
import { pipeline } from "node:stream";
import { promisify } from "node:util";
import { constants, createZstdCompress, createZstdDecompress, zstdCompress } from "node:zlib";
import { RefusalError } from "@securewave/foundation";
import { sealErrors } from "../errors.ts";
import type { BackupObject } from "../manifest.ts";
import type { Bytes, Target } from "../targets/target.ts";
import { open, seal } from "./payload.ts";

/** What zstd takes and hands on at once. */
const BLOCK_BYTES = 512 * 1024;
const COMPRESSION = {
  [constants.ZSTD_c_compressionLevel]: 1,
  [constants.ZSTD_c_checksumFlag]: 0, // each chunk is authenticated
};
export const SEALED_SUFFIX = ".zst.age";

const compressWhole = promisify(zstdCompress);

/** Compresses, seals and puts a stream. */
export async function putSealed(
  target: Target,
  path: string,
  content: Bytes,
  recipients: readonly string[],
): Promise<BackupObject> {
  let plainBytes = 0;
  async function* counted() {
    for await (const part of content) {
      plainBytes += part.length;
      yield part;
    }
  }
  const sealed = await putSealedCompressed(target, path, compress(counted()), recipients);
  return { ...sealed, plainBytes };
}

/** Seals and puts a stream that zstd has compressed. */
export async function putSealedCompressed(
  target: Target,
  path: string,
  compressed: Bytes,
  recipients: readonly string[],
): Promise<Omit<BackupObject, "plainBytes">> {
  const hash = createHash("sha256");
  async function* hashed() {
    for await (const part of seal(compressed, recipients)) {
      hash.update(part);
      yield part;
    }
  }
  const bytes = await target.put(path, hashed());
  return { name: path.slice(path.lastIndexOf("/") + 1), bytes, sha256: hash.digest("hex") };
}

/** Compresses and seals what is small. */
export async function sealedBytes(content: Uint8Array, recipients: readonly string[]): Promise<Buffer> {
  const compressed = await compressWhole(content, { params: COMPRESSION });
  return Buffer.concat(await Array.fromAsync(seal([compressed], recipients)));
}

/**
 * Gets, opens and expands an object. What it yields is as it was written; only its end says that it is all.
 *
 * @throws backup_seal.wrong_key, backup_seal.damaged, each naming the object
 */
export async function* getOpened(
  target: Target,
  path: string,
  identities: readonly string[],
): AsyncGenerator<Buffer> {
  yield* openSealed(await target.get(path), path, identities);
}

/** The same of an object whose bytes are there. @throws as `getOpened` */
export async function* openSealed(
  sealed: Bytes,
  path: string,
  identities: readonly string[],
): AsyncGenerator<Buffer> {
  try {
    yield* expand(open(sealed, identities));
  } catch (error) {
    if (error instanceof RefusalError && error.code === sealErrors.wrongKey.code) {
      throw sealErrors.wrongKey({
        detail: `None of the given identities opens ${path}. Give the one whose recipient it was sealed for.`,
      });
    }
    const isZstd = error instanceof Error && "code" in error && String(error.code).startsWith("ZSTD");
    if (isZstd || (error instanceof RefusalError && error.code === sealErrors.damaged.code)) {
      throw sealErrors.damaged({
        detail: `${path} is damaged: it is not what was written. Restore from another backup.`,
      });
    }
    throw error;
  }
}

function compress(source: Bytes): AsyncIterable<Buffer> {
  const options = { params: COMPRESSION, chunkSize: BLOCK_BYTES, highWaterMark: 2 * BLOCK_BYTES };
  return pipeline(inBlocks(source), createZstdCompress(options), ignoreEnd);
}

function expand(source: Bytes): AsyncIterable<Buffer> {
  const options = { chunkSize: BLOCK_BYTES, highWaterMark: 2 * BLOCK_BYTES };
  return pipeline(source, createZstdDecompress(options), ignoreEnd);
}

/** The trouble of a pipeline reaches whoever reads its last stream. */
function ignoreEnd(): void {}

/** Each write to zstd is a turn in the pool of threads, so it gets few and large ones. */
async function* inBlocks(source: Bytes): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of source) {
    parts.push(part);
    bytes += part.length;
    if (bytes < BLOCK_BYTES) continue;
    yield Buffer.concat(parts, bytes);
    parts = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(parts, bytes);
}
