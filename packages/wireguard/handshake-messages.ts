/**
 * WireGuard's messages around the handshake of Noise: who is meant by a number, the two MACs, the cookie.
 *
 * @see https://www.wireguard.com/papers/wireguard.pdf §5.4
 */
import { timingSafeEqual } from "node:crypto";
import { decodeKey, type PresharedKey, type PrivateKey, type PublicKey } from "./keys.ts";
import { publicKeyOf, secretObject } from "./native-keys.ts";
import { createNoiseInitiator } from "./noise.ts";
import { type Bytes, hash, mac, unsealExtended } from "./noise-primitives.ts";
import { createTransport, type Transport } from "./transport.ts";

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
  consumeResponse(response: Buffer): "authentication" | Transport | undefined;
};

export type Initiator = {
  /** Writes a new initiation; `cookie` is what the server asked to be shown. */
  initiate(senderIndex: number, cookie?: Bytes): Initiation;
  /** Opens a cookie reply to the initiation; undefined when it was not made by the server for it. */
  consumeCookie(reply: Buffer, initiation: Initiation): Bytes | undefined;
};

const MESSAGE_INITIATION = 1;
export const MESSAGE_RESPONSE = 2;
export const MESSAGE_COOKIE_REPLY = 3;
/** §5.4.2, §5.4.3, §5.4.7: lengths of whole messages. */
export const INITIATION_BYTES = 148;
export const RESPONSE_BYTES = 92;
export const COOKIE_REPLY_BYTES = 64;

const IDENTIFIER = ascii("WireGuard v1 zx2c4 Jason@zx2c4.com");
const LABEL_MAC1 = ascii("mac1----");
const LABEL_COOKIE = ascii("cookie--");

/** Prepares what all initiations of one identity share. */
export function createInitiator(identity: Identity): Initiator {
  const serverPublic = decodeKey(identity.serverPublicKey);
  const ownPublic = decodeKey(publicKeyOf(identity.privateKey));
  const noise = createNoiseInitiator({
    prologue: IDENTIFIER,
    ownSecret: secretObject(decodeKey(identity.privateKey)),
    ownPublic,
    remotePublic: serverPublic,
    presharedKey: identity.presharedKey === undefined ? new Uint8Array(32) : decodeKey(identity.presharedKey),
  });
  const mac1Key = hash(LABEL_MAC1, serverPublic);
  const ownMac1Key = hash(LABEL_MAC1, ownPublic);
  const cookieKey = hash(LABEL_COOKIE, serverPublic);

  return {
    initiate(senderIndex, cookie) {
      const attempt = noise.begin(nextTai64n());
      const message = Buffer.alloc(INITIATION_BYTES);
      message[0] = MESSAGE_INITIATION;
      message.writeUInt32LE(senderIndex, 4);
      message.set(attempt.message, 8);
      const mac1 = mac(mac1Key, message.subarray(0, 116));
      message.set(mac1, 116);
      if (cookie !== undefined) message.set(mac(cookie, message.subarray(0, 132)), 132);
      return {
        message,
        senderIndex,
        mac1,
        consumeResponse(response) {
          const ownMac1 = mac(ownMac1Key, response.subarray(0, 60));
          if (!timingSafeEqual(ownMac1, response.subarray(60, 76))) return undefined;
          const session = attempt.finish(response.subarray(12, 60));
          if (session === undefined) return "authentication";
          return createTransport({
            ...session,
            ownIndex: senderIndex,
            remoteIndex: response.readUInt32LE(4),
          });
        },
      };
    },
    consumeCookie(reply, initiation) {
      return unsealExtended(cookieKey, reply.subarray(8, 32), reply.subarray(32), initiation.mac1);
    },
  };
}

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

function ascii(text: string): Bytes {
  return Buffer.from(text, "latin1");
}
