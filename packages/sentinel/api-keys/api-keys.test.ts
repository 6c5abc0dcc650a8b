import { createId, createManualClock, InvariantError, idPattern } from "@securewave/foundation";
import { hashToken } from "@securewave/foundation/secret";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createApiKey, createApiKeyVerifier, type KeyHolder, parseApiKey, type StoredKey } from "./index.ts";

const DAY_MS = 86_400_000;
const clock = createManualClock(1_790_000_000_000);

function open() {
  const asked: string[] = [];
  const store = new Map<string, StoredKey>();
  const verifier = createApiKeyVerifier<KeyHolder>({
    clock,
    find: async (id) => {
      asked.push(id);
      return store.get(id);
    },
  });
  const add = () => {
    const { id, text, hash } = createApiKey();
    const holder = {
      id,
      accountId: "acc_1",
      role: "customer",
      scopes: ["devices:read"],
      requestsPerMinute: 300,
    };
    store.set(id, { holder, accepted: [{ hash, untilMs: clock.now() + DAY_MS }] });
    return { id, text, holder };
  };
  return { asked, store, verifier, add };
}

describe("the text of a key", () => {
  test("shows its kind, its id, 256 random bits and a checksum", () => {
    const { id, text, hash } = createApiKey();
    expect(id).toMatch(new RegExp(idPattern("apiKey")));
    expect(text).toMatch(/^swk_[0-9a-z]{20}_[A-Za-z0-9_-]{43}_[0-9a-f]{8}$/);
    expect(text.split("_")[1]).toBe(id.slice("key_".length));
    expect(parseApiKey(text)).toEqual({ id, secretHash: hash });
    expect(hash).toEqual(hashToken(text));
  });

  test("is never made twice, and a key that is rotated keeps its id", () => {
    const id = createId("apiKey");
    const keys = Array.from({ length: 1000 }, () => createApiKey(id));
    expect(new Set(keys.map((key) => key.id))).toEqual(new Set([id]));
    expect(new Set(keys.map((key) => key.text)).size).toBe(1000);
  });

  test("is made for ids of keys alone", () => {
    for (const id of ["", "key_", "key_short", createId("account"), `${createId("apiKey")}x`])
      expect(() => createApiKey(id)).toThrow(InvariantError);
  });

  test("mistyped in any one place is told without the store", () => {
    const { text } = createApiKey();
    for (let at = 0; at < text.length; at++) {
      for (const other of ["a", "Z", "0", "_", " ", "é"]) {
        if (text[at] === other) continue;
        expect(parseApiKey(text.slice(0, at) + other + text.slice(at + 1))).toBeUndefined();
      }
    }
  });

  test("with two neighbours swapped is told without the store", () => {
    const { text } = createApiKey();
    for (let at = 0; at + 1 < text.length; at++) {
      if (text[at] === text[at + 1]) continue;
      const swapped = text.slice(0, at) + text[at + 1] + text[at] + text.slice(at + 2);
      expect(parseApiKey(swapped)).toBeUndefined();
    }
  });

  test("truncated or with anything around it is refused", () => {
    const { text } = createApiKey();
    for (let length = 0; length < text.length; length++)
      expect(parseApiKey(text.slice(0, length))).toBeUndefined();
    for (const odd of [` ${text}`, `${text} `, `${text}\n`, `${text}\0`, text.toUpperCase(), text + text])
      expect(parseApiKey(odd)).toBeUndefined();
  });

  test("never makes the parser fail", () => {
    const part = fc.string({ unit: "binary", maxLength: 60 });
    fc.assert(
      fc.property(part, part, part, (id, secret, checksum) => {
        expect(parseApiKey(`swk_${id}_${secret}_${checksum}`)).toBeUndefined();
        expect(parseApiKey(id)).toBeUndefined();
      }),
    );
  });

  test("is refused in linear time, however long (ReDoS)", () => {
    const startedAt = performance.now();
    for (const piece of ["swk_", "_", "0", "swk_0_", "a".repeat(20)])
      expect(parseApiKey(`swk_${piece.repeat(1_000_000 / piece.length)}`)).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

describe("a verifier", () => {
  test("tells who holds a key, from memory at once", async () => {
    const { verifier, add, asked } = open();
    const { id, text, holder } = add();
    expect(await verifier.verify(text)).toEqual(holder);
    expect(verifier.verify(text)).toEqual(holder);
    expect(asked).toEqual([id]);
  });

  test("refuses the right id with a guessed secret, and a secret under another id", async () => {
    const { verifier, add } = open();
    const [one, two] = [add(), add()];
    const guess = createApiKey(one.id).text;
    expect(await verifier.verify(guess)).toBeUndefined();
    expect(verifier.verify(one.text)).toEqual(one.holder);
    const secretOf = (text: string) => text.slice(25, 68);
    expect(await verifier.verify(two.text.replace(secretOf(two.text), secretOf(one.text)))).toBeUndefined();
  });

  test("does not ask the store about a text that is no key", () => {
    const { verifier, asked } = open();
    for (const text of ["", "swk_", "Bearer", "key_0", createApiKey().text.slice(0, -1)])
      expect(verifier.verify(text)).toBeUndefined();
    expect(asked).toEqual([]);
  });

  test("takes no key that was revoked, from the moment it is told", async () => {
    const { verifier, add, store } = open();
    const { id, text } = add();
    expect(await verifier.verify(text)).toBeDefined();
    store.delete(id);
    verifier.forget(id);
    expect(await verifier.verify(text)).toBeUndefined();
  });

  test("takes no key of an account that was suspended, from the moment it is told", async () => {
    const { verifier, add, store } = open();
    const { text } = add();
    expect(await verifier.verify(text)).toBeDefined();
    store.clear();
    verifier.forget(({ accountId }) => accountId === "acc_1");
    expect(await verifier.verify(text)).toBeUndefined();
  });
});
