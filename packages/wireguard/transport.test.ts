import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createTransport } from "./transport.ts";

/** Both ends of a session. */
function openPair() {
  const [there, back] = [randomBytes(32), randomBytes(32)];
  return {
    client: createTransport({ sendKey: there, receiveKey: back, ownIndex: 7, remoteIndex: 0xfffffffe }),
    server: createTransport({ sendKey: back, receiveKey: there, ownIndex: 0xfffffffe, remoteIndex: 7 }),
  };
}

test("what one end seals, the other opens, padded to sixteen bytes", () => {
  const { client, server } = openPair();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1500 }), (packet) => {
      const message = client.seal(packet);
      expect((message.length - 32) % 16).toBe(0);
      const opened = server.open(message);
      expect(opened?.length).toBe(Math.ceil(packet.length / 16) * 16);
      expect(opened?.subarray(0, packet.length)).toEqual(Buffer.from(packet));
      expect(opened?.subarray(packet.length).every((byte) => byte === 0)).toBe(true);
    }),
  );
});

test("counters rise from zero, so that no nonce is used twice", () => {
  const { client } = openPair();
  const counters = [0, 1, 2].map(() => client.seal(new Uint8Array(0)).readBigUInt64LE(8));
  expect(counters).toEqual([0n, 1n, 2n]);
});

test("a message is opened once, in whatever order messages come", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(200), { minLength: 1, maxLength: 300 }), (order) => {
      const { client, server } = openPair();
      const messages = Array.from({ length: 201 }, () => client.seal(Buffer.from("packet")));
      const opened = new Set<number>();
      let highest = -1;
      for (const at of order) {
        const isOpened = server.open(messages[at] ?? Buffer.alloc(0)) !== undefined;
        expect(isOpened).toBe(!opened.has(at) && (at > highest || highest - at < 64));
        if (isOpened) opened.add(at);
        highest = Math.max(highest, at);
      }
    }),
  );
});

test("a message that was changed is refused, and shuts none out that is honest", () => {
  const { client, server } = openPair();
  const message = client.seal(Buffer.from("sixteen bytes ..16 and some more"));
  for (const [at, byte] of message.entries()) {
    const forged = Buffer.from(message);
    forged[at] = byte ^ 0x80;
    expect(server.open(forged), `byte ${at}`).toBeUndefined();
  }
  for (const length of [0, 4, 31]) expect(server.open(message.subarray(0, length))).toBeUndefined();
  expect(server.open(message)).toBeDefined();
});

test("a message of another session is refused", () => {
  const [one, other] = [openPair(), openPair()];
  expect(one.server.open(other.client.seal(Buffer.from("packet")))).toBeUndefined();
  // Sent back to where it came from: each direction has its own key.
  expect(one.client.open(one.client.seal(Buffer.from("packet")))).toBeUndefined();
});
