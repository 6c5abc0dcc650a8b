import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { sealErrors } from "../errors.ts";
import { headerLength, makeHeader, openHeader } from "./header.ts";

/** STREAM of age: chunks of 64 KiB, each with its number and a mark of the last. */
const CHUNK_BYTES = 65_536;
const TAG_BYTES = 16;
const NONCE_BYTES = 16;
const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
/** Chunks that are sealed into one buffer, so that what follows gets few and large ones. */
const CHUNKS_TOGETHER = 8;

type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * Seals a stream for recipients as an age file.
 *
 * @throws backup_seal.invalid_key
 */
export async function* seal(source: Bytes, recipients: readonly string[]): AsyncGenerator<Buffer> {
  const { header, fileKey } = makeHeader(recipients);
  const nonce = randomBytes(NONCE_BYTES);
  const key = payloadKey(fileKey, nonce);
  const number = createCounter();
  yield Buffer.concat([header, nonce]);

  const held = Buffer.allocUnsafe(CHUNK_BYTES * CHUNKS_TOGETHER);
  let length = 0;
  const sealHeld = (isEnd: boolean) => {
    const chunks = Math.max(1, Math.ceil(length / CHUNK_BYTES));
    const out = Buffer.allocUnsafe(length + chunks * TAG_BYTES);
    for (let chunk = 0, at = 0; chunk < chunks; chunk++) {
      const plain = held.subarray(chunk * CHUNK_BYTES, Math.min(length, (chunk + 1) * CHUNK_BYTES));
      const cipher = createCipheriv("chacha20-poly1305", key, number(isEnd && chunk === chunks - 1), {
        authTagLength: TAG_BYTES,
      });
      at += cipher.update(plain).copy(out, at);
      cipher.final();
      at += cipher.getAuthTag().copy(out, at);
    }
    length = 0;
    return out;
  };
  for await (const part of source) {
    for (let from = 0; from < part.length; ) {
      // A full buffer is sealed when more comes: only then it is not the last.
      if (length === held.length) yield sealHeld(false);
      const count = Math.min(held.length - length, part.length - from);
      held.set(part.subarray(from, from + count), length);
      length += count;
      from += count;
    }
  }
  yield sealHeld(true);
}

/**
 * Opens an age file. What it yields before it throws is right; only the end says that it is all.
 *
 * @throws backup_seal.wrong_key, backup_seal.damaged, backup_seal.invalid_key
 */
export async function* open(source: Bytes, identities: readonly string[]): AsyncGenerator<Buffer> {
  let start = Buffer.alloc(0);
  let key: KeyObject | undefined;
  const number = createCounter();
  const held = Buffer.allocUnsafe(SEALED_CHUNK_BYTES * CHUNKS_TOGETHER);
  let length = 0;
  const openHeld = (payload: KeyObject, isEnd: boolean) => {
    const chunks = Math.max(1, Math.ceil(length / SEALED_CHUNK_BYTES));
    const out = Buffer.allocUnsafe(Math.max(0, length - chunks * TAG_BYTES));
    let at = 0;
    for (let chunk = 0; chunk < chunks; chunk++) {
      const sealed = held.subarray(
        chunk * SEALED_CHUNK_BYTES,
        Math.min(length, (chunk + 1) * SEALED_CHUNK_BYTES),
      );
      if (sealed.length < TAG_BYTES) throw damaged();
      const decipher = createDecipheriv("chacha20-poly1305", payload, number(isEnd && chunk === chunks - 1), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      at += decipher.update(sealed.subarray(0, -TAG_BYTES)).copy(out, at);
      try {
        decipher.final();
      } catch {
        throw damaged();
      }
    }
    length = 0;
    return out;
  };
  for await (const piece of source) {
    let part = piece;
    if (key === undefined) {
      start = Buffer.concat([start, part]);
      const headerEnd = start.length === 0 ? undefined : headerLength(start);
      if (headerEnd === undefined || start.length < headerEnd + NONCE_BYTES) continue;
      const fileKey = openHeader(start.subarray(0, headerEnd), identities);
      key = payloadKey(fileKey, start.subarray(headerEnd, headerEnd + NONCE_BYTES));
      part = start.subarray(headerEnd + NONCE_BYTES);
    }
    for (let from = 0; from < part.length; ) {
      if (length === held.length) yield openHeld(key, false);
      const count = Math.min(held.length - length, part.length - from);
      held.set(part.subarray(from, from + count), length);
      length += count;
      from += count;
    }
  }
  if (key === undefined) throw damaged();
  const last = openHeld(key, true);
  if (last.length > 0) yield last;
}

/** A key object: a third faster for each chunk than its bytes. */
function payloadKey(fileKey: Buffer, nonce: Buffer): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync("sha256", fileKey, nonce, "payload", 32)));
}

/** The nonces of the chunks: 11 bytes of their number and one that marks the last. */
function createCounter(): (isLast: boolean) => Buffer {
  const nonce = Buffer.alloc(12);
  let next = 0;
  return (isLast) => {
    nonce.writeUIntBE(next++, 5, 6);
    nonce[11] = isLast ? 1 : 0;
    return nonce;
  };
}

function damaged() {
  return sealErrors.damaged({ internal: "a chunk of a sealed object" });
}
