import {
  createNetwork,
  randomSuffix,
  requirements,
  run,
  runOrThrow,
  temporaryDir,
} from "@securewave/testing";
import type { Peer, PublicKey } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { createPeerSet } from "@securewave/wireguard/peer-set";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parsePeerSpec } from "../peer-spec.ts";
import { peerSpec } from "../testing-plane.ts";
import type { InterfaceSettings } from "./driver.ts";
import { openRemoteDriver, type RemoteDriver } from "./testing-remote.ts";

const needs = requirements({
  root: true,
  tools: ["ip", "wg", "wireguard-go"],
  devices: ["/dev/net/tun"],
  networkNamespaces: true,
});

describe.skipIf(!needs.ok).each(["userspace", "spawned"] as const)(needs.title("the %s driver"), (kind) => {
  const network = createNetwork();
  const dir = temporaryDir("drivers");
  const settings: InterfaceSettings = {
    name: `sw${randomSuffix()}`,
    privateKey: generateKeyPair().privateKey,
    listenPort: 51820,
  };
  let namespace: string;
  let driver: RemoteDriver;

  beforeAll(async () => {
    namespace = await network.addNamespace("node");
    driver = await openRemoteDriver(namespace, kind, dir.path);
    expect(await driver.open(settings)).toBe("created");
    await runOrThrow("ip", ["link", "set", "dev", settings.name, "up"], { namespace });
  });

  afterAll(async () => {
    await driver.close(settings.name);
    driver.detach();
    await network.destroy();
    dir.remove();
  });

  test("an interface has what was applied, whether little or much, and only that", async () => {
    await bringTo([1, 2, 3]);
    await bringTo(Array.from({ length: 60 }, (_, number) => number + 3));
    await bringTo([61, 62, 200]);
    await bringTo([]);
  });

  test("preshared keys and addresses are added, changed and taken away", async () => {
    for (const peer of [
      peerOf(1),
      peerOf(1, { presharedKey: 1 }),
      peerOf(1, { presharedKey: 2, address: 9 }),
      withMore(peerOf(1, { presharedKey: 2, address: 9 })),
      peerOf(1, { presharedKey: 2, address: 9 }),
      peerOf(1, { address: 9 }),
    ]) {
      await bringToPeers([peer]);
    }
    const changed = Array.from({ length: 40 }, (_, number) =>
      peerOf(number, { presharedKey: 5, address: number + 100 }),
    );
    await bringToPeers(changed.map((_, number) => peerOf(number, { presharedKey: number })));
    await bringToPeers(changed);
  });

  test("an address moves from one peer to another in one change", async () => {
    await bringToPeers([peerOf(1, { address: 7 }), peerOf(2, { address: 8 })]);
    await bringToPeers([peerOf(1, { address: 8 }), peerOf(2, { address: 7 })]);
    await bringToPeers([peerOf(3, { address: 7 }), peerOf(1, { address: 8 })]);
  });

  test("one bad peer among many is left out and named", async () => {
    await bringTo([]);
    const bad: Peer = { ...peerOf(5), allowedIps: ["10.8.0.5/99"] };
    const peers = Array.from({ length: 30 }, (_, number) => (number === 5 ? bad : peerOf(number)));
    const upserts = peers.map((peer) => ({ peer, before: undefined }));
    expect(await driver.apply({ upserts, removals: [] })).toEqual([bad.publicKey]);
    expect((await driver.read()).map(({ publicKey }) => publicKey)).not.toContain(bad.publicKey);
    expect((await driver.reports()).peerCount).toBe(29);
  });

  test("a crashed agent's interface and its peers are taken over as they are", async () => {
    await bringTo([1, 2, 3]);
    await driver.crash();
    driver = await openRemoteDriver(namespace, kind, dir.path);
    expect(await driver.open(settings)).toBe("adopted");
    expect(createPeerSet(await driver.read()).hash()).toBe(
      createPeerSet([1, 2, 3].map((n) => peerOf(n))).hash(),
    );
  });

  test("peers that are made anew have their keys and addresses, and the others theirs", async () => {
    const peers = Array.from({ length: 1100 }, (_, number) => peerOf(number, { presharedKey: number % 3 }));
    await bringToPeers(peers);
    expect(await driver.reset(peers.slice(0, 1050))).toEqual([]);
    expect(createPeerSet(await driver.read()).hash()).toBe(createPeerSet(peers).hash());
    await bringTo([1]);
  });

  test("a bad peer among those that are made anew is left out and named", async () => {
    await bringTo([1, 2, 3]);
    const bad: Peer = { ...peerOf(2), allowedIps: ["10.8.0.5/99"] };
    expect(await driver.reset([peerOf(1), bad, peerOf(3)])).toEqual([bad.publicKey]);
    const present = (await driver.read()).map(({ publicKey }) => publicKey);
    expect(new Set(present)).toEqual(new Set([peerOf(1).publicKey, peerOf(3).publicKey]));
  });

  test("a peer that is removed after it was made anew stays removed, however soon", async () => {
    await bringTo([1, 2]);
    await driver.resetAndApply([peerOf(1)], { upserts: [], removals: [peerOf(1).publicKey] });
    expect((await driver.read()).map(({ publicKey }) => publicKey)).toEqual([peerOf(2).publicKey]);
  });

  test("a peer without a handshake is counted, and not among the counters", async () => {
    await bringTo([1, 2]);
    expect(await driver.reports()).toEqual({ peerCount: 2, counters: [] });
  });

  test("an interface that is gone is an error, not a refused peer; opened again it is made anew", async () => {
    await bringTo([1]);
    await runOrThrow("ip", ["link", "delete", "dev", settings.name], { namespace });
    await expect(
      driver.apply({ upserts: [{ peer: peerOf(2), before: undefined }], removals: [] }),
    ).rejects.toThrow();
    await expect.poll(() => driver.open(settings).catch(() => "not yet")).toBe("created");
    await bringTo([1, 2]);
  });

  test("closing takes the interface away, twice as well as once", async () => {
    await driver.close(settings.name);
    await driver.close(settings.name);
    expect((await run("ip", ["link", "show", "dev", settings.name], { namespace })).code).not.toBe(0);
    expect(await driver.open(settings)).toBe("created");
  });

  async function bringTo(numbers: number[]): Promise<void> {
    await bringToPeers(numbers.map((number) => peerOf(number)));
  }

  async function bringToPeers(peers: Peer[]): Promise<void> {
    const present = new Map<PublicKey, Peer>((await driver.read()).map((peer) => [peer.publicKey, peer]));
    const wanted = new Set(peers.map(({ publicKey }) => publicKey));
    const refused = await driver.apply({
      upserts: peers.map((peer) => ({ peer, before: present.get(peer.publicKey) })),
      removals: [...present.keys()].filter((publicKey) => !wanted.has(publicKey)),
    });
    expect(refused).toEqual([]);
    expect(createPeerSet(await driver.read()).hash()).toBe(createPeerSet(peers).hash());
  }
});

function peerOf(number: number, options?: Parameters<typeof peerSpec>[1]): Peer {
  const peer = parsePeerSpec(peerSpec(number, options));
  if (peer === undefined) throw new Error("a test peer is a usable one");
  return peer;
}

function withMore(peer: Peer): Peer {
  return { ...peer, allowedIps: [...peer.allowedIps, "fd5e:c0de::9/128"] };
}
