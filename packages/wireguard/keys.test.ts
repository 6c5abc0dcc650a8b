import { generateKeyPairSync } from "node:crypto";
import { x25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeKey,
  encodeKey,
  generateKeyPair,
  generatePresharedKey,
  keyPairOf,
  LOW_ORDER_POINTS,
  parsePresharedKey,
  parsePrivateKey,
  parsePublicKey,
  publicKeyOf,
} from "./keys.ts";
import * as native from "./native-keys.ts";

const key32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

test.each([
  [
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
  ],
  [
    "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
  ],
])("the public key of %s is that of RFC 7748 §6.1", (secret, expected) => {
  const pair = keyPairOf(Uint8Array.from(Buffer.from(secret, "hex")));
  expect(Buffer.from(pair.publicKey, "base64").toString("hex")).toBe(expected);
  expect(native.publicKeyOf(pair.privateKey)).toBe(pair.publicKey);
});

test("OpenSSL and @noble derive the same public key, and both clamp", () => {
  fc.assert(
    fc.property(key32, (secret) => {
      const pair = keyPairOf(Uint8Array.from(secret));
      expect(native.publicKeyOf(pair.privateKey)).toBe(pair.publicKey);
      expect(publicKeyOf(pair.privateKey)).toBe(pair.publicKey);
      const scalar = decodeKey(pair.privateKey);
      expect((scalar[0] ?? 0) & 7).toBe(0);
      expect((scalar[31] ?? 0) >> 6).toBe(1);
    }),
    { numRuns: 20 },
  );
});

test("generated keys are read back, and no two are the same", () => {
  const pairs = [generateKeyPair(), generateKeyPair(), native.generateKeyPair(), native.generateKeyPair()];
  for (const { privateKey, publicKey } of pairs) {
    expect(parsePrivateKey(privateKey)).toBe(privateKey);
    expect(parsePublicKey(publicKey)).toBe(publicKey);
    expect(publicKeyOf(privateKey)).toBe(publicKey);
  }
  const presharedKey = generatePresharedKey();
  expect(parsePresharedKey(presharedKey)).toBe(presharedKey);
  expect(new Set([...pairs.map((pair) => pair.publicKey), presharedKey]).size).toBe(5);
});

test("given randomness decides the keys", () => {
  const pair = generateKeyPair((bytes) => bytes.fill(7));
  expect(decodeKey(pair.privateKey)).toEqual(new Uint8Array(32).fill(7).with(0, 0).with(31, 71));
});

test("broken randomness is a bug that stops", () => {
  expect(() => generatePresharedKey((bytes) => bytes)).toThrow("random");
});

test("each low-order point gives an all-zero secret, and is refused as a public key", () => {
  for (const point of LOW_ORDER_POINTS) {
    expect(() => x25519.getSharedSecret(new Uint8Array(32).fill(9), decodeKey(point))).toThrow();
    expect(parsePublicKey(point)).toBeUndefined();
  }
});

test("a coordinate that is not below the prime is refused", () => {
  for (let low = 0; low < 256; low++) {
    const u = new Uint8Array(32).fill(255).with(0, low).with(31, 127);
    // p - 1 (low 236) has low order.
    expect(parsePublicKey(base64(u)) !== undefined).toBe(low < 236);
  }
  fc.assert(fc.property(key32, (u) => parsePublicKey(base64(u.with(31, (u[31] ?? 0) | 128))) === undefined));
});

test("any other coordinate is taken, in its one spelling", () => {
  fc.assert(
    fc.property(key32, (bytes) => {
      const u = bytes.with(31, (bytes[31] ?? 0) & 63).with(5, 77);
      expect(parsePublicKey(base64(u))).toBe(base64(u));
      expect(encodeKey(decodeKey(base64(u)))).toBe(base64(u));
    }),
  );
});

test("text that is not 44 characters of canonical base64 is no key", () => {
  const good = generateKeyPairSync("x25519").publicKey.export({ format: "der", type: "spki" }).subarray(12);
  const text = base64(good);
  const bad = [
    "",
    text.slice(0, 43),
    `${text}=`,
    `${text}\n`,
    ` ${text}`,
    text.replace("=", "A"),
    `${text.slice(0, 42)}B=`, // bits beyond the 32nd byte
    `-${text.slice(1)}`,
    base64(good.subarray(1)),
    base64(Buffer.concat([good, good])),
    good.toString("hex"),
  ];
  for (const parse of [parsePublicKey, parsePrivateKey, parsePresharedKey]) {
    for (const candidate of bad) expect(parse(candidate), candidate).toBeUndefined();
  }
});

test("a private key of other software is clamped, and one of zeros is refused", () => {
  const unclamped = base64(new Uint8Array(32).fill(255));
  const clamped = base64(new Uint8Array(32).fill(255).with(0, 248).with(31, 127));
  expect(parsePrivateKey(unclamped)).toBe(clamped);
  expect(parsePrivateKey(clamped)).toBe(clamped);
  expect(parsePrivateKey(base64(new Uint8Array(32)))).toBeUndefined();
  expect(parsePresharedKey(base64(new Uint8Array(32)))).toBeUndefined();
});
