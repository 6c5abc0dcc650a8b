import { generateKeyPairSync } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { setTimeout as pause } from "node:timers/promises";
import { createPresence } from "@securewave/live";
import { createNetwork, eventually, type Network, requirements, run, runOrThrow } from "@securewave/testing";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import {
  openTestInterface,
  type TestInterface,
  wireguardMissing,
  withWireguard,
} from "@securewave/wireguard/testing-interface";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLogger } from "../../logger.ts";
import { openTestApp, type Person, type TestApp } from "../../testing/app.ts";
import { connectNode, type FakeNode } from "../../testing/fake-node.ts";
import { serviceKeyOf } from "../service-keys/index.ts";
import { openProbing } from "./probing.ts";

const namespaces = requirements({ root: true, tools: ["ip", "nft"], networkNamespaces: true });
const PROBE_MS = 1500;
/** Three probes, and what a busy machine adds. */
const WITHIN = { timeoutMs: 20_000, everyMs: 50 };
const INITIATION = 1;

describe.skipIf(wireguardMissing || !namespaces.ok)(withWireguard("a node with a real tunnel"), () => {
  const network: Network = createNetwork();
  const server = generateKeyPair();
  let namespace = "";
  let tunnel: TestInterface;
  let way: Way;
  let service: TestApp;
  let admin: Person;
  let node: FakeNode;

  beforeAll(async () => {
    namespace = await network.addNamespace("node");
    tunnel = await openTestInterface(namespace);
    await runOrThrow("ip", ["-n", namespace, "addr", "add", "10.8.0.1/16", "dev", tunnel.name]);
    await tunnel.uapi.set({ privateKey: server.privateKey, listenPort: 0 });
    way = await openWay((await tunnel.uapi.get()).listenPort);
    service = await openTestApp({ settings: { NODE_PROBES: "on" }, probeEveryMs: PROBE_MS });
    admin = await service.admin();
    node = await connectNode(service, { host: "127.0.0.1", port: way.port, keys: server });
    await tunnel.uapi.set({ peers: [...node.peers] });
  });
  afterAll(async () => {
    await service?.close();
    way?.close();
    await tunnel?.close();
    await network.destroy();
  });

  const show = () => admin.client.nodes.show({ params: { id: node.identity.id } });
  const isSaid = (state: string, problem: RegExp | null) =>
    eventually(async () => {
      const shown = await show();
      expect(shown.state).toBe(state);
      if (problem) expect(shown.problem).toMatch(problem);
      else expect(shown.problem).toBeNull();
    }, WITHIN);
  const isAnswered = () =>
    eventually(async () => expect((await show()).health?.echo_ms).toEqual(expect.any(Number)), WITHIN);
  const isBetweenProbes = async () => {
    const before = way.initiations();
    await eventually(() => expect(way.initiations()).toBeGreaterThan(before), WITHIN);
    await pause(PROBE_MS / 3);
  };

  test("is told how long a handshake and an echo took, and the prober is nobody's device", async () => {
    await isAnswered();
    const { health, devices, state } = await show();
    expect(health).toMatchObject({ handshake_ms: expect.any(Number), connected: "0–9" });
    expect({ devices, state }).toEqual({ devices: 0, state: "healthy" });

    expect([...node.peers]).toEqual([
      { publicKey: expect.any(String), allowedIps: ["10.8.255.254/32", "fd5e:c0de:8::fffe/128"] },
    ]);
    const { rows } = await service.database.pool.query("select count(*)::int as count from peers");
    expect(rows).toEqual([{ count: 0 }]);
  });

  test("that is cut off shows as degraded after three probes, and as healthy after one that is answered", async () => {
    await isBetweenProbes();
    const before = way.initiations();
    way.cut();
    await isSaid("degraded", /does not answer handshakes.*UDP port/);
    expect(way.initiations() - before).toBe(3);
    expect((await show()).health).toMatchObject({ handshake_ms: null, echo_ms: null });
    way.mend();
    await isSaid("healthy", null);
    expect((await show()).health?.probes_lost).toBeGreaterThan(0);
  });

  test("whose firewall drops what comes out of its tunnel is told from one that is silent", async () => {
    await isAnswered();
    const rules =
      "table inet drops { chain input { type filter hook input priority 0; meta l4proto icmp drop; }; }";
    await runOrThrow("nft", [rules], { namespace });
    try {
      await isSaid("degraded", /nothing comes back through its tunnel/);
      expect((await show()).health).toMatchObject({ handshake_ms: expect.any(Number), echo_ms: null });
    } finally {
      await run("nft", ["delete table inet drops"], { namespace });
    }
    await isSaid("healthy", null);
  });

  test("takes the prober in with its first state, and no more when it comes back", async () => {
    await node.disconnect();
    expect((await show()).health).toBeNull();
    await node.connect();
    expect(node.frames().map(({ type }) => type)).not.toContain("snapshot");
    expect(node.peers.size).toBe(1);
  });
});

test("without an address of its own the prober says so, and is a peer of no node", async () => {
  const service = await openTestApp({ settings: { IP_POOL_V4: "10.99.0.0/28" } });
  const { database, config } = service;
  const warnings: unknown[] = [];
  const logger = createLogger("warn", { write: (line) => void warnings.push(JSON.parse(line)) });
  const options = {
    database,
    pools: { v4: config.tunnels.poolV4, v6: config.tunnels.poolV6 },
    identity: serviceKeyOf(generateKeyPairSync("ed25519").privateKey),
    presence: createPresence(),
    nodes: { directory: async () => new Map() },
    logger,
    telemetry: { gauge: () => {} },
  };
  const peersWhile = async (isWanted: boolean) => {
    const probing = await openProbing({ ...options, isWanted });
    probing.close();
    return probing.peersOf("node_1");
  };
  try {
    const [peer] = await peersWhile(true);
    expect(peer?.allowedIps).toEqual(["10.99.0.14/32", "fd5e:c0de:8::e/128"]);
    expect(await peersWhile(true), "all processes of the service are one peer").toEqual([peer]);
    expect(await peersWhile(false)).toEqual([]);
    expect(warnings).toEqual([]);

    await connectNode(service);
    const { client } = await service.person();
    const { id } = await client.devices.create({ body: { name: "Older than the prober" } });
    await database.db.updateTable("devices").set({ address_index: 14 }).where("id", "=", id).execute();
    expect(await peersWhile(true)).toEqual([]);
    expect(warnings).toMatchObject([
      { event: "node_probes_off", internal: expect.stringMatching(/IP_POOL_V4/) },
    ]);
  } finally {
    await service.close();
  }
});

interface Way {
  readonly port: number;
  cut(): void;
  mend(): void;
  /** That came from the prober, lost or not. */
  initiations(): number;
  close(): void;
}

/** Stands between the prober and a node's port, and can lose all that goes through. */
async function openWay(port: number): Promise<Way> {
  const [outer, inner] = [createSocket("udp4"), createSocket("udp4")];
  let [isCut, initiations, from] = [false, 0, 0];
  outer.on("message", (message, sender) => {
    from = sender.port;
    if (message[0] === INITIATION) initiations++;
    if (!isCut) inner.send(message, port, "127.0.0.1");
  });
  inner.on("message", (message) => {
    if (!isCut) outer.send(message, from, "127.0.0.1");
  });
  const bind = (socket: Socket) =>
    new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", () => resolve()));
  await Promise.all([bind(outer), bind(inner)]);
  return {
    port: outer.address().port,
    cut() {
      isCut = true;
    },
    mend() {
      isCut = false;
    },
    initiations: () => initiations,
    close() {
      outer.close();
      inner.close();
    },
  };
}
