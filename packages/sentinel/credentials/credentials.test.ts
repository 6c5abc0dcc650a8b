import { createManualClock } from "@securewave/foundation";
import { hashToken } from "@securewave/foundation/secret";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type CredentialVerifierOptions,
  createCredentialVerifier,
  createRecentMap,
  type StoredCredential,
} from "./index.ts";

interface Holder {
  readonly id: string;
  readonly accountId: string;
}

const DAY_MS = 86_400_000;
const RIGHT = hashToken("right");
const WRONG = hashToken("wrong");

function open(options: Partial<CredentialVerifierOptions<Holder>> = {}) {
  const clock = createManualClock(1_790_000_000_000);
  const store = new Map<string, StoredCredential<Holder>>();
  const asked: string[] = [];
  const put = (id: string, accountId: string, hash = RIGHT, untilMs = clock.now() + DAY_MS) =>
    store.set(id, { holder: { id, accountId }, accepted: [{ hash, untilMs }] });
  const find = async (id: string) => {
    asked.push(id);
    return store.get(id);
  };
  return {
    clock,
    store,
    asked,
    put,
    verifier: createCredentialVerifier<Holder>({ find, clock, ...options }),
  };
}

test("a right secret gives its holder, first from the store and then from memory", async () => {
  const seen: boolean[] = [];
  const { put, asked, verifier } = open({ observe: (wasCached) => seen.push(wasCached) });
  put("a", "acc_1");
  expect(verifier.verify("a", RIGHT)).toBeInstanceOf(Promise);
  expect(await verifier.verify("a", RIGHT)).toEqual({ id: "a", accountId: "acc_1" });
  expect(verifier.verify("a", RIGHT)).toEqual({ id: "a", accountId: "acc_1" });
  expect(asked).toEqual(["a"]);
  expect(seen).toEqual([false, false, true]);
});

test("a wrong secret and an unknown id ask the store as often and are refused alike", async () => {
  const { put, asked, verifier } = open();
  put("a", "acc_1");
  for (const [id, hash] of [
    ["a", WRONG],
    ["b", RIGHT],
  ] as const) {
    expect(await verifier.verify(id, hash)).toBeUndefined();
    expect(verifier.verify(id, hash)).toBeUndefined();
  }
  expect(asked).toEqual(["a", "b"]);
});

test("the hash of nothing opens nothing", async () => {
  const { verifier } = open();
  expect(await verifier.verify("b", new Uint8Array(32))).toBeUndefined();
  expect(await verifier.verify("b", new Uint8Array(0))).toBeUndefined();
});

test("an end is looked at each time, also from memory", async () => {
  const { put, clock, verifier } = open();
  put("a", "acc_1", RIGHT, clock.now() + 10_000);
  expect(await verifier.verify("a", RIGHT)).toBeDefined();
  clock.advanceSeconds(9.999);
  expect(verifier.verify("a", RIGHT)).toBeDefined();
  clock.advanceSeconds(0.001);
  expect(verifier.verify("a", RIGHT)).toBeUndefined();
});

test("while a key is rotated both its texts work, the old one until its own end", async () => {
  const { store, clock, verifier } = open();
  store.set("a", {
    holder: { id: "a", accountId: "acc_1" },
    accepted: [
      { hash: RIGHT, untilMs: clock.now() + DAY_MS },
      { hash: WRONG, untilMs: clock.now() + 1000 },
    ],
  });
  expect(await verifier.verify("a", WRONG)).toBeDefined();
  clock.advanceSeconds(1);
  expect(verifier.verify("a", WRONG)).toBeUndefined();
  expect(verifier.verify("a", RIGHT)).toBeDefined();
});

test("what was remembered is asked anew after its time", async () => {
  const { put, store, clock, asked, verifier } = open({ cacheSeconds: 5 });
  put("a", "acc_1");
  await verifier.verify("a", RIGHT);
  await verifier.verify("b", RIGHT);
  store.delete("a");
  put("b", "acc_2");
  clock.advanceSeconds(5);
  expect(await verifier.verify("a", RIGHT)).toBeUndefined();
  expect(await verifier.verify("b", RIGHT)).toMatchObject({ accountId: "acc_2" });
  expect(verifier.verify("a", RIGHT)).toBeUndefined();
  expect(verifier.verify("b", RIGHT)).toMatchObject({ accountId: "acc_2" });
  expect(asked).toEqual(["a", "b", "a", "b"]);
});

test("forgetting one id, or all of an account, takes effect at once", async () => {
  const { put, store, verifier } = open();
  for (const id of ["a", "b", "c"]) put(id, id === "c" ? "acc_2" : "acc_1");
  const all = () => Promise.all(["a", "b", "c"].map((id) => verifier.verify(id, RIGHT)));
  await all();
  store.clear();
  verifier.forget("a");
  expect((await all()).map((holder) => holder?.id)).toEqual([undefined, "b", "c"]);
  verifier.forget(({ accountId }) => accountId === "acc_1");
  expect((await all()).map((holder) => holder?.id)).toEqual([undefined, undefined, "c"]);
  put("a", "acc_1");
  verifier.forget(() => false);
  expect((await all()).map((holder) => holder?.id)).toEqual(["a", undefined, "c"]);
});

test.each([
  [0, 1],
  [1, 0],
])("answer %d came first: one under way when something was revoked is not remembered", async (one, other) => {
  const answers: ((stored: StoredCredential<Holder> | undefined) => void)[] = [];
  const { clock, verifier } = open({ find: () => new Promise((resolve) => answers.push(resolve)) });
  const stored = {
    holder: { id: "a", accountId: "acc_1" },
    accepted: [{ hash: RIGHT, untilMs: clock.now() + DAY_MS }],
  };
  const early = verifier.verify("a", RIGHT);
  verifier.forget("a");
  const late = verifier.verify("a", RIGHT);
  expect(answers).toHaveLength(2);
  for (const at of [one, other]) {
    answers[at]?.(at === 0 ? stored : undefined);
    await [early, late][at];
  }
  expect(await late).toBeUndefined();
  expect(verifier.verify("a", RIGHT)).toBeUndefined();
});

test("requests that come at once ask the store once", async () => {
  const { put, asked, verifier } = open();
  put("a", "acc_1");
  const holders = await Promise.all([RIGHT, WRONG, RIGHT].map((hash) => verifier.verify("a", hash)));
  expect(holders.map((holder) => holder?.id)).toEqual(["a", undefined, "a"]);
  expect(asked).toEqual(["a"]);
});

test("a store that fails refuses nobody for good", async () => {
  let isDown = true;
  const { clock, verifier } = open({
    find: async (id) => {
      if (isDown) throw new Error("the store is down");
      return { holder: { id, accountId: "acc_1" }, accepted: [{ hash: RIGHT, untilMs: clock.now() + 1000 }] };
    },
  });
  await expect(verifier.verify("a", RIGHT)).rejects.toThrow("the store is down");
  isDown = false;
  expect(await verifier.verify("a", RIGHT)).toMatchObject({ id: "a" });
});

test("guesses of ids push no holder out of memory", async () => {
  const { put, asked, verifier } = open({ entriesMax: 100 });
  put("a", "acc_1");
  await verifier.verify("a", RIGHT);
  for (let guess = 0; guess < 1000; guess++) await verifier.verify(`guess ${guess}`, RIGHT);
  expect(verifier.verify("a", RIGHT)).toMatchObject({ id: "a" });
  expect(asked).toHaveLength(1001);
});

test("a recent map stays within its size and keeps the half that was used last", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 12 }),
      fc.array(fc.record({ key: fc.nat(20), isRead: fc.boolean() }), { maxLength: 80 }),
      (entriesMax, acts) => {
        const map = createRecentMap<number, number>(entriesMax);
        const used: number[] = [];
        for (const { key, isRead } of acts) {
          if (!isRead) map.set(key, key);
          const isThere = map.get(key) !== undefined;
          if (isThere) used.unshift(...used.splice(0).filter((other) => other !== key));
          if (isThere) used.unshift(key);
          expect(map.size).toBeLessThanOrEqual(entriesMax);
        }
        // Reading moves entries, so the most recent ones are looked at from the latest on.
        const recent = used.slice(0, Math.floor(entriesMax / 2));
        expect(recent.map((key) => map.get(key))).toEqual(recent);
      },
    ),
  );
});
