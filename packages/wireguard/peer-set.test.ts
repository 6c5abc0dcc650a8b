import fc from "fast-check";
import { expect, test } from "vitest";
import { generatePresharedKey, type PresharedKey, type PublicKey, parsePublicKey } from "./keys.ts";
import type { Peer } from "./peer.ts";
import { createPeerSet, diffPeers } from "./peer-set.ts";

/** Six keys and few addresses, so that sets overlap often. */
const keys: PublicKey[] = Array.from({ length: 6 }, (_, index) => {
  const key = parsePublicKey(Buffer.alloc(32, index + 10).toString("base64"));
  if (key === undefined) throw new Error("the test's keys are valid");
  return key;
});
const presharedKeys: PresharedKey[] = [generatePresharedKey(), generatePresharedKey()];
const peer: fc.Arbitrary<Peer> = fc.record(
  {
    publicKey: fc.constantFrom(...keys),
    allowedIps: fc.uniqueArray(fc.constantFrom("10.8.0.2/32", "10.8.0.3/32", "fd00::2/128")),
    presharedKey: fc.constantFrom(...presharedKeys),
  },
  { requiredKeys: ["publicKey", "allowedIps"], noNullPrototype: true },
);
const peers = fc.uniqueArray(peer, { selector: ({ publicKey }) => publicKey });

test("the order in which peers come, and of their addresses, leaves the hash alone", () => {
  fc.assert(
    fc.property(peers, fc.infiniteStream(fc.double({ noNaN: true })), (given, order) => {
      const shuffled = given
        .map((one) => ({ one: { ...one, allowedIps: one.allowedIps.toReversed() }, at: order.next().value }))
        .toSorted((left, right) => left.at - right.at)
        .map(({ one }) => one);
      expect(createPeerSet(shuffled).hash()).toBe(createPeerSet(given).hash());
      expect(diffPeers(createPeerSet(given), createPeerSet(shuffled))).toEqual({ upserts: [], removals: [] });
    }),
  );
});

test("two sets have the same hash exactly when nothing differs", () => {
  fc.assert(
    fc.property(peers, peers, (one, other) => {
      const left = createPeerSet(one);
      const right = createPeerSet(other);
      const { upserts, removals } = diffPeers(left, right);
      expect(left.hash() === right.hash()).toBe(upserts.length + removals.length === 0);
    }),
  );
});

test("adding and removing a peer leaves no trace in the hash", () => {
  fc.assert(
    fc.property(peers, peer, (given, extra) => {
      fc.pre(!given.some(({ publicKey }) => publicKey === extra.publicKey));
      const set = createPeerSet(given);
      const before = set.hash();
      set.upsert(extra);
      expect(set.hash()).not.toBe(before);
      expect(set.remove(extra.publicKey)).toBe(true);
      expect(set.remove(extra.publicKey)).toBe(false);
      expect(set.hash()).toBe(before);
      expect(set.size).toBe(given.length);
    }),
  );
});

test("a difference applied to the present set gives the desired one", () => {
  fc.assert(
    fc.property(peers, peers, (present, wanted) => {
      const current = createPeerSet(present);
      const desired = createPeerSet(wanted);
      const { upserts, removals } = diffPeers(current, desired);
      for (const one of upserts) current.upsert(one);
      for (const publicKey of removals) current.remove(publicKey);
      expect(current.hash()).toBe(desired.hash());
      expect(current.size).toBe(desired.size);
      expect(new Map([...current].map((one) => [one.publicKey, one]))).toEqual(
        new Map([...desired].map((one) => [one.publicKey, current.get(one.publicKey)])),
      );
    }),
  );
});

test("an empty set has a hash of zeros", () => {
  expect(createPeerSet().hash()).toBe("0".repeat(64));
});
