/**
 * WireGuard's transport messages: packets of the tunnel, sealed.
 *
 * @see https://www.wireguard.com/papers/wireguard.pdf §5.4.6
 */
import { type Bytes, seal, TAG_BYTES, unseal } from "./noise-primitives.ts";

export type TransportKeys = {
  readonly sendKey: Bytes;
  readonly receiveKey: Bytes;
  /** The numbers by which each side knows the session: where messages go, and which of them are ours. */
  readonly ownIndex: number;
  readonly remoteIndex: number;
};

export type Transport = {
  /** Seals the next packet; an empty one is a keepalive, on which the server takes the handshake for complete. */
  seal(packet: Bytes): Buffer;
  /**
   * Opens a message and gives the packet with its padding, for a keepalive an empty one. Undefined when the message is
   * of another session, was not made by the server, has been opened before, or is older than the last `WINDOW` ones.
   */
  open(message: Buffer): Buffer | undefined;
};

const MESSAGE_TRANSPORT = 4;
const HEADER_BYTES = 16;
const PADDING_BYTES = 16;
/** How far a message may be overtaken by later ones; WireGuard itself has some 8,000 (RFC 6479), for full tunnels. */
const WINDOW = 64n;
const WINDOW_MASK = (1n << WINDOW) - 1n;
const EMPTY = new Uint8Array(0);

export function createTransport({ sendKey, receiveKey, ownIndex, remoteIndex }: TransportKeys): Transport {
  let sendCounter = 0n;
  let highest = -1n;
  /** Bit n is set when `highest - n` has been opened. */
  let seen = 0n;

  function isFresh(counter: bigint): boolean {
    if (counter > highest) return true;
    const age = highest - counter;
    return age < WINDOW && ((seen >> age) & 1n) === 0n;
  }

  function remember(counter: bigint): void {
    if (counter > highest) {
      const step = counter - highest;
      seen = step >= WINDOW ? 1n : ((seen << step) | 1n) & WINDOW_MASK;
      highest = counter;
    } else {
      seen |= 1n << (highest - counter);
    }
  }

  return {
    seal(packet) {
      const padded = Buffer.alloc(Math.ceil(packet.length / PADDING_BYTES) * PADDING_BYTES);
      padded.set(packet);
      const header = Buffer.alloc(HEADER_BYTES);
      header[0] = MESSAGE_TRANSPORT;
      header.writeUInt32LE(remoteIndex, 4);
      header.writeBigUInt64LE(sendCounter, 8);
      return Buffer.concat([header, seal(sendKey, sendCounter++, padded, EMPTY)]);
    },
    open(message) {
      if (message.length < HEADER_BYTES + TAG_BYTES || message.readUInt32LE(0) !== MESSAGE_TRANSPORT)
        return undefined;
      if (message.readUInt32LE(4) !== ownIndex) return undefined;
      const counter = message.readBigUInt64LE(8);
      if (!isFresh(counter)) return undefined;
      const packet = unseal(receiveKey, counter, message.subarray(HEADER_BYTES), EMPTY);
      // Only what is authentic moves the window: a forged counter must not shut honest answers out.
      if (packet !== undefined) remember(counter);
      return packet;
    },
  };
}
