import fc from "fast-check";
import { expect, test } from "vitest";
import { createEnvelope, MASTER_NUMBER_BYTE } from "./envelope.ts";

const first = { number: 1, key: new Uint8Array(32).fill(1) };
const second = { number: 2, key: new Uint8Array(32).fill(2) };

test("any text comes back whole, and never stands in what is stored", () => {
  const envelope = createEnvelope([first]);
  fc.assert(
    fc.property(fc.string({ minLength: 8 }), fc.string(), (text, context) => {
      const sealed = envelope.seal(text, context);
      expect(envelope.open(sealed, context)).toBe(text);
      expect(sealed.includes(Buffer.from(text))).toBe(false);
    }),
  );
});

test("what an older master key sealed opens while the ring holds that key, and not afterwards", () => {
  const sealed = createEnvelope([first]).seal("private key", "dev_1");
  expect(createEnvelope([second, first]).open(sealed, "dev_1")).toBe("private key");
  expect(() => createEnvelope([second]).open(sealed, "dev_1")).toThrow("cannot be opened");
});

test("what is resealed opens under the newest key alone, with the same context", () => {
  const sealed = createEnvelope([first]).seal("private key", "dev_1");
  const resealed = createEnvelope([second, first]).reseal(sealed);
  expect(createEnvelope([second]).open(resealed, "dev_1")).toBe("private key");
  expect(() => createEnvelope([first]).open(resealed, "dev_1")).toThrow("cannot be opened");
  expect(() => createEnvelope([second]).open(resealed, "dev_2")).toThrow("cannot be opened");
  expect(() => createEnvelope([second]).reseal(sealed)).toThrow("cannot be opened");
  expect(() => createEnvelope([second, { ...first, key: second.key }]).reseal(sealed)).toThrow();
});

test("a ring that changes is taken as it is at each moment", () => {
  let ring = [first];
  const envelope = createEnvelope(() => ring);
  const sealed = envelope.seal("private key", "dev_1");
  ring = [second, first];
  expect(envelope.open(sealed, "dev_1")).toBe("private key");
  expect(envelope.seal("other", "dev_1")[MASTER_NUMBER_BYTE]).toBe(2);
  ring = [second];
  expect(() => envelope.open(sealed, "dev_1")).toThrow("cannot be opened");
});

test("no changed byte, other context or cut opens", () => {
  const envelope = createEnvelope([first]);
  const sealed = envelope.seal("private key", "dev_1");
  expect(() => envelope.open(sealed, "dev_2")).toThrow("cannot be opened");
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => envelope.open(changed, "dev_1")).toThrow("cannot be opened");
    expect(() => envelope.open(sealed.subarray(0, at), "dev_1")).toThrow("cannot be opened");
  }
});
