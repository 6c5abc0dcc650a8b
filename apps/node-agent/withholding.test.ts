import type { Peer, PublicKey } from "@securewave/wireguard";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createMemoryDriver } from "./drivers/memory.ts";
import { parsePeerSpec } from "./peer-spec.ts";
import { peerSpec } from "./testing-plane.ts";
import { createWithholdingDriver } from "./withholding.ts";

const PEERS = [1, 2, 3, 4].map((number): Peer => {
  const peer = parsePeerSpec(peerSpec(number));
  if (!peer) throw new Error("a test peer is a usable one");
  return peer;
});
const some = fc.subarray(PEERS);

test("whatever the order, the interface has what is wanted without what is withheld, and seems to have all of it", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("want" as const), peers: some }),
    fc.record({ do: fc.constant("withhold" as const), peers: some }),
    fc.record({ do: fc.constant("enforce" as const), peers: fc.constant([] as Peer[]) }),
    fc.record({ do: fc.constant("interface-lost" as const), peers: fc.constant([] as Peer[]) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const inner = createMemoryDriver();
      const driver = createWithholdingDriver(inner);
      let wanted = new Map<PublicKey, Peer>();
      let withheld = new Set<PublicKey>();
      const enforce = () => driver.enforce((publicKey) => wanted.get(publicKey));
      const settle = async () => {
        const present = new Map((await driver.read()).map((peer) => [peer.publicKey, peer]));
        await driver.apply({
          upserts: [...wanted.values()].map((peer) => ({ peer, before: present.get(peer.publicKey) })),
          removals: [...present.keys()].filter((key) => !wanted.has(key)),
        });
      };
      for (const { do: act, peers } of steps) {
        const keys = peers.map(({ publicKey }) => publicKey);
        if (act === "want") {
          wanted = new Map(peers.map((peer) => [peer.publicKey, peer]));
          await settle();
        } else if (act === "withhold") {
          withheld = new Set(keys);
          driver.withhold(withheld);
        } else if (act === "enforce") await enforce();
        else {
          inner.peers.clear();
          await enforce();
          await settle();
        }
      }
      await enforce();
      await settle();
      expect(driver.isEnforced).toBe(true);
      const open = [...wanted.keys()].filter((key) => !withheld.has(key));
      expect([...inner.peers.keys()].sort()).toEqual(open.sort());
      const seeming = (await driver.read()).map(({ publicKey }) => publicKey);
      expect(seeming.sort()).toEqual([...wanted.keys()].sort());
      expect((await driver.reports()).peerCount).toBe(wanted.size);
    }),
    { numRuns: 200 },
  );
});

test("an interface that cannot be reached is tried again with the same list", async () => {
  let isGone = false;
  const inner = createMemoryDriver({
    before() {
      if (isGone) throw new Error("gone");
    },
  });
  const driver = createWithholdingDriver(inner);
  const [peer] = PEERS;
  if (!peer) throw new Error("there is a peer");
  await driver.apply({ upserts: [{ peer, before: undefined }], removals: [] });
  driver.withhold(new Set([peer.publicKey]));
  isGone = true;
  await expect(driver.enforce(() => peer)).rejects.toThrow("gone");
  expect(driver.isEnforced).toBe(false);
  isGone = false;
  await driver.enforce(() => peer);
  expect(inner.peers.size).toBe(0);
  driver.withhold(new Set());
  await driver.enforce(() => peer);
  expect(inner.peers.size).toBe(1);
});
