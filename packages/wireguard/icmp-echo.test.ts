import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { type Echo, isEchoReply, renderEchoRequest } from "./icmp-echo.ts";

const DATA = Buffer.from("abcdefgh");
const ECHOES: readonly Echo[] = [
  { from: "10.8.0.2", to: "10.8.0.1", identifier: 0x1234, sequence: 1, data: DATA },
  { from: "fd00:8::2", to: "fd00:8::1", identifier: 0x1234, sequence: 1, data: DATA },
  { from: "10.8.0.2", to: "10.8.0.1", identifier: 0xffff, sequence: 0xffff, data: randomBytes(57) },
  { from: "fd00:8::2", to: "fd00:8::1", identifier: 0xffff, sequence: 0xffff, data: randomBytes(57) },
];

test("a request is the packet that ping sends", () => {
  const [v4, v6] = ECHOES.map(renderEchoRequest);
  const data = DATA.toString("hex");
  // The sums by hand, as in RFC 1071 §3.
  expect(v4?.toString("hex")).toBe(`4500002400000000400166c70a0800020a0800010800543512340001${data}`);
  const ends = "fd000008000000000000000000000002fd000008000000000000000000000001";
  expect(v6?.toString("hex")).toBe(`6000000000103a40${ends}8000e1d512340001${data}`);
});

test("the answer of the one who was asked is known, with padding and without", () => {
  for (const echo of ECHOES) {
    const reply = replyTo(echo);
    expect(isEchoReply(reply, echo)).toBe(true);
    expect(isEchoReply(Buffer.concat([reply, Buffer.alloc(13)]), echo)).toBe(true);
  }
});

test("an answer that differs in any bit is none, but for those that are free on the way", () => {
  for (const echo of ECHOES) {
    const reply = replyTo(echo);
    for (let bit = 0; bit < reply.length * 8; bit++) {
      const changed = Buffer.from(reply);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const isFree = echo.to.includes(":") && isFreeInIpv6(bit >> 3, bit & 7);
      expect(isEchoReply(changed, echo), `bit ${bit}`).toBe(isFree);
    }
    for (let length = 0; length < reply.length; length++) {
      expect(isEchoReply(reply.subarray(0, length), echo), `${length} bytes`).toBe(false);
    }
  }
});

test("the answer to another request, and a request itself, are none", () => {
  const [echo] = ECHOES;
  if (echo === undefined) throw new Error("no echo");
  expect(isEchoReply(renderEchoRequest(echo), echo)).toBe(false);
  expect(isEchoReply(replyTo({ ...echo, sequence: 2 }), echo)).toBe(false);
  expect(isEchoReply(replyTo({ ...echo, to: "10.8.0.3" }), echo)).toBe(false);
});

/** Traffic class, flow label and hop limit of IPv6 stand under no checksum. */
function isFreeInIpv6(byte: number, bit: number): boolean {
  return (byte === 0 && bit < 4) || (byte >= 1 && byte <= 3) || byte === 7;
}

/** What a host makes of the request: both ends exchanged, the type of a reply. */
function replyTo(echo: Echo): Buffer {
  const packet = renderEchoRequest({ ...echo, from: echo.to, to: echo.from });
  const body = packet[0] === 0x45 ? 20 : 40;
  const lowered = packet[body] === 8 ? 8 : -1;
  packet[body] = (packet[body] ?? 0) - lowered;
  // RFC 1624: the sum of the words falls by the difference, so the checksum rises by it, with the carry at its end.
  const sum = packet.readUInt16BE(body + 2) + lowered * 256;
  packet.writeUInt16BE(sum < 0 ? sum + 0xffff : sum > 0xffff ? sum - 0xffff : sum, body + 2);
  return packet;
}
