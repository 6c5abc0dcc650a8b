/**
 * The initiator's half of WireGuard's handshake, Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s.
 *
 * Primitives are OpenSSL's, several times as fast as @noble's on messages this short; @noble has the two that OpenSSL
 * lacks, keyed BLAKE2s and XChaCha20-Poly1305.
 *
 * @see https://www.wireguard.com/papers/wireguard.pdf §5.4
 */
import {
  createCipheriv,
  createDecipheriv,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  hash as oneShotHash,
  timingSafeEqual,
} from "node:crypto";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { blake2s } from "@noble/hashes/blake2.js";
import { decodeKey, type PresharedKey, type PrivateKey, type PublicKey } from "./keys.ts";
import { publicBytesOf, publicKeyOf, publicObject, secretObject } from "./native-keys.ts";

type Bytes = Uint8Array;

/** Who speaks to whom. */
export type Identity = {
  readonly privateKey: PrivateKey;
  readonly serverPublicKey: PublicKey;
  readonly presharedKey?: PresharedKey;
};

/** An initiation that has been written and not yet answered. */
export type Initiation = {
  readonly message: Buffer;
  readonly senderIndex: number;
  readonly mac1: Bytes;
  /** Reads a response with this initiation's index; undefined when it does not come from one who knows our key. */
  consumeResponse(response: Buffer): "authentication" | Session | undefined;
};

export type Session = {
  /** An empty transport message (§5.4.6), on which the server takes the handshake for complete. */
  readonly keepalive: Buffer;
};

export type Initiator = {
  /** Writes a new initiation; `cookie` is what the server asked to be shown. */
  initiate(senderIndex: number, cookie?: Bytes): Initiation;
  /** Opens a cookie reply to the initiation; undefined when it was not made by the server for it. */
  consumeCookie(reply: Buffer, initiation: Initiation): Bytes | undefined;
};

export const MESSAGE_INITIATION = 1;
export const MESSAGE_RESPONSE = 2;
export const MESSAGE_COOKIE_REPLY = 3;
const MESSAGE_TRANSPORT = 4;
/** §5.4.2, §5.4.3, §5.4.7: lengths of whole messages. */
export const INITIATION_BYTES = 148;
export const RESPONSE_BYTES = 92;
export const COOKIE_REPLY_BYTES = 64;

const MAC_BYTES = 16;
/** RFC 7693 §2.1 */
const BLAKE2S_BLOCK_BYTES = 64;
const EMPTY = new Uint8Array(0);
const NONCE_ZERO = new Uint8Array(12);
const CONSTRUCTION_HASH = hash(ascii("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"));
const IDENTIFIER_HASH = hash(CONSTRUCTION_HASH, ascii("WireGuard v1 zx2c4 Jason@zx2c4.com"));
const LABEL_MAC1 = ascii("mac1----");
const LABEL_COOKIE = ascii("cookie--");

/** Prepares what all initiations of one identity share. */
export function createInitiator(identity: Identity): Initiator {
  const serverStatic = decodeKey(identity.serverPublicKey);
  const ownStatic = decodeKey(publicKeyOf(identity.privateKey));
  const ownSecret = secretObject(decodeKey(identity.privateKey));
  const serverObject = publicObject(serverStatic);
  const staticShared = agree(ownSecret, serverObject);
  const preshared =
    identity.presharedKey === undefined ? new Uint8Array(32) : decodeKey(identity.presharedKey);
  const mac1Key = hash(LABEL_MAC1, serverStatic);
  const ownMac1Key = hash(LABEL_MAC1, ownStatic);
  const cookieKey = hash(LABEL_COOKIE, serverStatic);
  const startHash = hash(IDENTIFIER_HASH, serverStatic);

  function initiate(senderIndex: number, cookie?: Bytes): Initiation {
    const ephemeral = generateKeyPairSync("x25519");
    const ephemeralPublic = publicBytesOf(ephemeral.publicKey);
    const message = Buffer.alloc(INITIATION_BYTES);
    message[0] = MESSAGE_INITIATION;
    message.writeUInt32LE(senderIndex, 4);
    message.set(ephemeralPublic, 8);
    let transcript = hash(startHash, ephemeralPublic);
    let [chain] = kdf(CONSTRUCTION_HASH, ephemeralPublic);
    let key: Bytes;
    [chain, key] = kdf(chain, agree(ephemeral.privateKey, serverObject));
    const sealedStatic = seal(key, ownStatic, transcript);
    message.set(sealedStatic, 40);
    transcript = hash(transcript, sealedStatic);
    [chain, key] = kdf(chain, staticShared);
    const sealedTime = seal(key, nextTai64n(), transcript);
    message.set(sealedTime, 88);
    transcript = hash(transcript, sealedTime);
    const mac1 = mac(mac1Key, message.subarray(0, 116));
    message.set(mac1, 116);
    if (cookie !== undefined) message.set(mac(cookie, message.subarray(0, 132)), 132);
    const state = { chain, transcript, ephemeralSecret: ephemeral.privateKey };
    return { message, senderIndex, mac1, consumeResponse: (response) => consumeResponse(response, state) };
  }

  function consumeResponse(response: Buffer, state: InitiationState): "authentication" | Session | undefined {
    if (!timingSafeEqual(mac(ownMac1Key, response.subarray(0, 60)), response.subarray(60, 76)))
      return undefined;
    const serverEphemeral = response.subarray(12, 44);
    const serverObject = publicObject(serverEphemeral);
    const ephemeralShared = open(() => agree(state.ephemeralSecret, serverObject));
    const mixedShared = open(() => agree(ownSecret, serverObject));
    if (ephemeralShared === undefined || mixedShared === undefined) return "authentication";
    let transcript = hash(state.transcript, serverEphemeral);
    let [chain] = kdf(state.chain, serverEphemeral);
    [chain] = kdf(chain, ephemeralShared);
    [chain] = kdf(chain, mixedShared);
    const [chained, mixed, key] = kdf(chain, preshared);
    transcript = hash(transcript, mixed);
    const proof = response.subarray(44, 60);
    if (open(() => unseal(key, proof, transcript)) === undefined) return "authentication";
    const [sendKey] = kdf(chained, EMPTY);
    const keepalive = Buffer.alloc(16 + MAC_BYTES);
    keepalive[0] = MESSAGE_TRANSPORT;
    response.copy(keepalive, 4, 4, 8);
    keepalive.set(seal(sendKey, EMPTY, EMPTY), 16);
    return { keepalive };
  }

  return {
    initiate,
    consumeCookie(reply, initiation) {
      const cipher = xchacha20poly1305(cookieKey, reply.subarray(8, 32), initiation.mac1);
      return open(() => cipher.decrypt(reply.subarray(32)));
    },
  };
}

type InitiationState = {
  readonly chain: Bytes;
  readonly transcript: Bytes;
  readonly ephemeralSecret: KeyObject;
};

let lastTime = 0n;

/**
 * The time in TAI64N, later at each call of the process: a server takes no initiation that is not newer than the last
 * one of the same key.
 *
 * @see https://cr.yp.to/libtai/tai64.html
 */
function nextTai64n(): Buffer {
  const now = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n;
  lastTime = now > lastTime ? now : lastTime + 1n;
  const stamp = Buffer.alloc(12);
  stamp.writeBigUInt64BE(0x400000000000000an + lastTime / 1_000_000_000n, 0);
  stamp.writeUInt32BE(Number(lastTime % 1_000_000_000n), 8);
  return stamp;
}

/** HKDF with HMAC-BLAKE2s: the paper's Kdf1, Kdf2 and Kdf3 in one. */
function kdf(key: Bytes, input: Bytes): [Bytes, Bytes, Bytes] {
  const secret = hmac(key, input);
  const first = hmac(secret, Uint8Array.of(1));
  const second = hmac(secret, first, Uint8Array.of(2));
  const third = hmac(secret, second, Uint8Array.of(3));
  return [first, second, third];
}

/** RFC 2104, for keys of 32 bytes. Some five times as fast as `createHmac`, which looks its algorithm up each time. */
function hmac(key: Bytes, ...parts: Bytes[]): Bytes {
  const inner = Buffer.alloc(BLAKE2S_BLOCK_BYTES, 0x36);
  const outer = Buffer.alloc(BLAKE2S_BLOCK_BYTES, 0x5c);
  for (const [index, byte] of key.entries()) {
    inner[index] = byte ^ 0x36;
    outer[index] = byte ^ 0x5c;
  }
  return hash(outer, hash(inner, ...parts));
}

function hash(...parts: Bytes[]): Bytes {
  return oneShotHash("blake2s256", Buffer.concat(parts), "buffer");
}

/** The paper's Aead with counter 0: each key of a handshake seals once. */
function seal(key: Bytes, plain: Bytes, data: Bytes): Bytes {
  const cipher = createCipheriv("chacha20-poly1305", key, NONCE_ZERO, { authTagLength: MAC_BYTES });
  cipher.setAAD(data, { plaintextLength: plain.length });
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @throws when the text is not authentic */
function unseal(key: Bytes, sealed: Bytes, data: Bytes): Bytes {
  const decipher = createDecipheriv("chacha20-poly1305", key, NONCE_ZERO, { authTagLength: MAC_BYTES });
  const plainBytes = sealed.length - MAC_BYTES;
  decipher.setAAD(data, { plaintextLength: plainBytes });
  decipher.setAuthTag(sealed.subarray(plainBytes));
  return Buffer.concat([decipher.update(sealed.subarray(0, plainBytes)), decipher.final()]);
}

function mac(key: Bytes, input: Bytes): Bytes {
  return blake2s(input, { key, dkLen: MAC_BYTES });
}

/** @throws when the public key is a point of low order */
function agree(secret: KeyObject, other: KeyObject): Buffer {
  return diffieHellman({ privateKey: secret, publicKey: other });
}

/** What a step gives, or undefined when a forged message makes it throw. */
function open(step: () => Bytes): Bytes | undefined {
  try {
    return step();
  } catch {
    return undefined;
  }
}

function ascii(text: string): Bytes {
  return Buffer.from(text, "latin1");
}
