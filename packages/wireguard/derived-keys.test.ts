import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createPresharedKeys } from "./derived-keys.ts";

test("a preshared key is HMAC-SHA-256 of the public key's text, as node:crypto makes it", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.base64String(), (secret, publicKey) => {
      const expected = createHmac("sha256", secret).update(publicKey).digest("base64");
      expect(createPresharedKeys(secret)(publicKey)).toBe(expected);
    }),
  );
});

test("devices do not share one, and the same device always has the same", () => {
  const presharedKeyOf = createPresharedKeys(new Uint8Array(32).fill(1));
  expect(presharedKeyOf("a")).toBe(presharedKeyOf("a"));
  expect(presharedKeyOf("a")).not.toBe(presharedKeyOf("b"));
  expect(presharedKeyOf("a")).not.toBe(createPresharedKeys(new Uint8Array(32).fill(2))("a"));
});
