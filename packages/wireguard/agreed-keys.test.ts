import { createPrivateKey, decapsulate, hkdfSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { ml_kem1024 as kem } from "@noble/post-quantum/ml-kem.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { agreePresharedKey, generateAgreement, KEM_BYTES, openAgreement } from "./agreed-keys.ts";
import { agreedPresharedKey } from "./derived-keys.ts";

interface Vectors {
  readonly keyGeneration: readonly { readonly d: string; readonly z: string; readonly ek: string }[];
  readonly encapsulation: readonly Record<"ek" | "m" | "c" | "k", string>[];
  readonly decapsulation: readonly Record<"dk" | "c" | "k", string>[];
  readonly encapsulationKeyCheck: readonly { readonly ek: string; readonly testPassed: boolean }[];
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL("ml-kem-1024-vectors.json", import.meta.url), "utf8"),
);
const binding = { deviceId: "dev_0123456789abcdefghjkmnpqrs", publicKey: `${"A".repeat(42)}E=` };
const bytesOf = (hex: string) => Buffer.from(hex, "hex");
const base64Of = (hex: string) => bytesOf(hex).toString("base64");

/** FIPS 203, table 2 */
const MODULUS = 3329;
/** FIPS 203 §4.2.1: the first 1536 bytes are 1024 coefficients of 12 bits; 32 bytes of seed follow. */
const COEFFICIENTS = 1024;

function withCoefficient(encapsulationKey: string, at: number, value: number): string {
  const bytes = Buffer.from(encapsulationKey, "base64");
  const [byte, isOdd] = [Math.floor(at / 2) * 3 + (at % 2), at % 2 === 1];
  const pair = bytes.readUInt16LE(byte);
  bytes.writeUInt16LE(isOdd ? (pair & 0x000f) | (value << 4) : (pair & 0xf000) | value, byte);
  return bytes.toString("base64");
}

/** RFC 9935 §6, `expandedKey`: the form in which the vectors have decapsulation keys. */
function expandedKey(dk: Buffer) {
  const prefix = Buffer.from("30820c78020100300b060960864801650304040304820c6404820c60", "hex");
  return createPrivateKey({ key: Buffer.concat([prefix, dk]), format: "der", type: "pkcs8" });
}

test("keys come from their seeds as NIST has them", () => {
  for (const { d, z, ek } of vectors.keyGeneration) {
    expect(generateAgreement(bytesOf(d + z)).encapsulationKey).toBe(base64Of(ek));
    expect(Buffer.from(kem.keygen(bytesOf(d + z)).publicKey)).toEqual(bytesOf(ek));
  }
});

test("ciphertexts open as NIST has it, also those that were tampered with", () => {
  for (const { dk, c, k } of vectors.decapsulation) {
    expect(decapsulate(expandedKey(bytesOf(dk)), bytesOf(c)).toString("hex")).toBe(k);
    expect(Buffer.from(kem.decapsulate(bytesOf(c), bytesOf(dk))).toString("hex")).toBe(k);
  }
});

test("the library that browsers use makes the ciphertexts of NIST", () => {
  for (const { ek, m, c, k } of vectors.encapsulation) {
    const made = kem.encapsulate(bytesOf(ek), bytesOf(m));
    expect(Buffer.from(made.cipherText).toString("hex")).toBe(c);
    expect(Buffer.from(made.sharedSecret).toString("hex")).toBe(k);
  }
});

test("an encapsulation key is taken or refused as NIST has it", () => {
  const verdicts = new Set<boolean>();
  for (const { ek, testPassed } of vectors.encapsulationKeyCheck) {
    expect(agreePresharedKey(base64Of(ek), binding) !== undefined).toBe(testPassed);
    verdicts.add(testPassed);
  }
  expect(verdicts.size).toBe(2);
});

test("a coefficient that is not below the modulus is refused, wherever it stands", () => {
  const { encapsulationKey } = generateAgreement();
  const coefficient = fc.integer({ min: 0, max: 2 ** 12 - 1 });
  fc.assert(
    fc.property(fc.nat(COEFFICIENTS - 1), coefficient, (at, value) => {
      const agreed = agreePresharedKey(withCoefficient(encapsulationKey, at, value), binding);
      expect(agreed !== undefined).toBe(value < MODULUS);
    }),
    {
      examples: [
        [0, MODULUS - 1],
        [0, MODULUS],
        [COEFFICIENTS - 1, MODULUS],
        [1, 4095],
      ],
    },
  );
});

test("no other length is an encapsulation key", () => {
  const { encapsulationKey } = generateAgreement();
  const bytes = Buffer.from(encapsulationKey, "base64");
  for (const wrong of [Buffer.alloc(0), bytes.subarray(1), Buffer.concat([bytes, Buffer.alloc(1)])])
    expect(agreePresharedKey(wrong.toString("base64"), binding)).toBeUndefined();
});

test("device and service get the same key, by either library on either side, and a fresh one each time", () => {
  const seeds = new Set<string>();
  for (let round = 0; round < 20; round++) {
    const { encapsulationKey, seed } = generateAgreement();
    const agreed = agreePresharedKey(encapsulationKey, binding);
    if (!agreed) throw new Error("the key is one");
    expect(openAgreement(seed, agreed.ciphertext, binding)).toBe(agreed.presharedKey);

    const theirs = kem.keygen(Buffer.from(seed, "base64"));
    const opened = kem.decapsulate(Buffer.from(agreed.ciphertext, "base64"), theirs.secretKey);
    expect(agreedPresharedKey(opened, binding)).toBe(agreed.presharedKey);

    const made = kem.encapsulate(Buffer.from(encapsulationKey, "base64"));
    const ciphertext = Buffer.from(made.cipherText).toString("base64");
    expect(openAgreement(seed, ciphertext, binding)).toBe(agreedPresharedKey(made.sharedSecret, binding));
    seeds.add(seed).add(agreed.presharedKey);
  }
  expect(seeds.size).toBe(40);
});

test("a changed ciphertext gives another key; one of another length gives none", () => {
  const { encapsulationKey, seed } = generateAgreement();
  const agreed = agreePresharedKey(encapsulationKey, binding);
  if (!agreed) throw new Error("the key is one");
  fc.assert(
    fc.property(fc.nat(KEM_BYTES * 8 - 1), (bit) => {
      const bytes = Buffer.from(agreed.ciphertext, "base64");
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(openAgreement(seed, bytes.toString("base64"), binding)).not.toBe(agreed.presharedKey);
    }),
  );
  expect(openAgreement(seed, agreed.ciphertext.slice(4), binding)).toBeUndefined();
  expect(openAgreement(seed.slice(4), agreed.ciphertext, binding)).toBeUndefined();
});

test("the key belongs to one device and one public key, and is HKDF as RFC 5869 has it", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.string(),
      fc.string(),
      (secret, id, key) => {
        const made = agreedPresharedKey(secret, { deviceId: id, publicKey: key });
        const info = `securewave preshared key v1${key}`;
        expect(made).toBe(Buffer.from(hkdfSync("sha256", secret, id, info, 32)).toString("base64"));
        expect(agreedPresharedKey(secret, { deviceId: `${id}x`, publicKey: key })).not.toBe(made);
        expect(agreedPresharedKey(secret, { deviceId: id, publicKey: `${key}x` })).not.toBe(made);
      },
    ),
  );
});
