import { createSocket, type Socket } from "node:dgram";
import {
  createNetwork,
  type Network,
  requirements,
  run,
  runOrThrow,
  setForwarding,
} from "@securewave/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { probeTunnel, type TunnelProbe } from "./handshake.ts";
import { createInitiator } from "./handshake-messages.ts";
import { generatePresharedKey } from "./keys.ts";
import { generateKeyPair } from "./native-keys.ts";
import {
  openTestInterface,
  type TestInterface,
  wireguardMissing,
  withWireguard,
} from "./testing-interface.ts";

const server = generateKeyPair();
const presharedKey = generatePresharedKey();
const namespaces = requirements({ root: true, tools: ["ip", "nft", "sysctl"], networkNamespaces: true });
const TRANSPORT = 4;
const succeeded = {
  ok: true,
  handshakeMs: expect.any(Number),
  elapsedMs: expect.any(Number),
  echoMs: expect.any(Number),
};
const noEcho = {
  ok: false,
  reason: "no_echo",
  handshakeMs: expect.any(Number),
  elapsedMs: expect.any(Number),
};

describe.skipIf(wireguardMissing || !namespaces.ok)(withWireguard("with wireguard-go in a namespace"), () => {
  const network: Network = createNetwork();
  let node = "";
  let open: TestInterface;
  let port = 0;
  let devices = 1;
  const relays: Socket[] = [];

  /** A node with its tunnel addresses, and a host behind it; the tunnel's outer port is in this process's namespace. */
  beforeAll(async () => {
    node = await network.addNamespace("node");
    const behind = await network.addNamespace("behind");
    await network.connect(node, behind, {
      v4: ["203.0.113.1/24", "203.0.113.80/24"],
      v6: ["2001:db8:113::1/64", "2001:db8:113::80/64"],
    });
    await network.routeThrough(behind, "203.0.113.1");
    await network.routeThrough(behind, "2001:db8:113::1");
    open = await openTestInterface(node);
    await runOrThrow("ip", ["-n", node, "addr", "add", "10.8.0.1/16", "dev", open.name]);
    await runOrThrow("ip", ["-n", node, "addr", "add", "fd00:8::1/64", "dev", open.name, "nodad"]);
    await open.uapi.set({ privateKey: server.privateKey, listenPort: 0 });
    port = (await open.uapi.get()).listenPort;
  });
  afterAll(async () => {
    for (const relay of relays) relay.close();
    await open?.close();
    await network.destroy();
  });

  /** Registers a device, and gives what a probe of it needs; a fresh key each, as one key is let in every 20 ms. */
  async function addDevice(
    change: Partial<TunnelProbe> = {},
  ): Promise<TunnelProbe & { v6: TunnelProbe["echo"] }> {
    const { privateKey, publicKey } = generateKeyPair();
    const [v4, v6] = [`10.8.1.${++devices}`, `fd00:8::1:${devices}`];
    const allowedIps = [`${v4}/32`, `${v6}/128`];
    await open.uapi.set({ peers: [{ publicKey, allowedIps, presharedKey: change.presharedKey ?? null }] });
    return {
      endpoint: { host: "127.0.0.1", port },
      serverPublicKey: server.publicKey,
      privateKey,
      timeoutMs: 2000,
      echo: { from: v4, to: "10.8.0.1" },
      v6: { from: v6, to: "fd00:8::1" },
      ...change,
    };
  }

  /** Stands between prober and server; gives what is to go on in place of a message of either side. */
  async function openRelay(
    change: (message: Buffer, isFromServer: boolean) => readonly Buffer[],
  ): Promise<number> {
    const [outer, inner] = [createSocket("udp4"), createSocket("udp4")];
    relays.push(outer, inner);
    let prober = 0;
    outer.on("message", (message, from) => {
      prober = from.port;
      for (const sent of change(message, false)) inner.send(sent, port, "127.0.0.1");
    });
    inner.on("message", (message) => {
      for (const sent of change(message, true)) outer.send(sent, prober, "127.0.0.1");
    });
    for (const socket of [outer, inner])
      await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return outer.address().port;
  }

  test("the node answers through its tunnel, by both families, with and without a preshared key", async () => {
    for (const change of [{}, { presharedKey }]) {
      const probe = await addDevice(change);
      expect(await probeTunnel(probe)).toEqual(succeeded);
      const other = await addDevice(change);
      expect(await probeTunnel({ ...other, echo: other.v6 })).toEqual(succeeded);
    }
  });

  test("what keeps a handshake from succeeding is told as of a bare handshake", async () => {
    const probe = await addDevice({ presharedKey, timeoutMs: 200 });
    expect(await probeTunnel({ ...probe, presharedKey: generatePresharedKey() })).toEqual({
      ok: false,
      reason: "authentication",
    });
    const stranger = { ...probe, privateKey: generateKeyPair().privateKey };
    expect(await probeTunnel(stranger)).toEqual({ ok: false, reason: "timeout" });
  });

  test("a node whose firewall drops the echo is told from one that is silent", async () => {
    const rules =
      "table inet drops { chain input { type filter hook input priority 0; meta l4proto { icmp, ipv6-icmp } drop; }; }";
    await runOrThrow("nft", [rules], { namespace: node });
    try {
      const probe = await addDevice({ timeoutMs: 400 });
      expect(await probeTunnel(probe)).toEqual(noEcho);
      const other = await addDevice({ timeoutMs: 400 });
      expect(await probeTunnel({ ...other, echo: other.v6 })).toEqual(noEcho);
    } finally {
      await run("nft", ["delete table inet drops"], { namespace: node });
    }
    expect(await probeTunnel(await addDevice())).toEqual(succeeded);
  });

  test("a host behind the node answers only while the node forwards", async () => {
    const behind = async () => {
      const probe = await addDevice({ timeoutMs: 800 });
      return { ...probe, echo: { from: probe.echo.from, to: "203.0.113.80" } };
    };
    expect(await probeTunnel(await behind())).toEqual(noEcho);
    await setForwarding(node, true);
    try {
      expect(await probeTunnel(await behind())).toEqual(succeeded);
      const probe = await addDevice();
      const echo = { from: probe.v6.from, to: "2001:db8:113::80" };
      expect(await probeTunnel({ ...probe, echo })).toEqual(succeeded);
    } finally {
      await setForwarding(node, false);
    }
  });

  test("an address that is another device's gets no echo", async () => {
    const [probe, other] = [await addDevice({ timeoutMs: 400 }), await addDevice()];
    expect(await probeTunnel({ ...probe, echo: other.echo })).toEqual(noEcho);
  });

  test("a request that is lost is sent again", async () => {
    let lost = 0;
    const relay = await openRelay((message, isFromServer) =>
      !isFromServer && message[0] === TRANSPORT && lost++ === 0 ? [] : [message],
    );
    const probe = await addDevice({ endpoint: { host: "127.0.0.1", port: relay }, timeoutMs: 800 });
    expect(await probeTunnel(probe)).toEqual(succeeded);
    expect(lost).toBeGreaterThan(1);
  });

  test("answers that were forged, or are of another session, are none", async () => {
    const kept: Buffer[] = [];
    const keeping = await openRelay((message, isFromServer) => {
      if (isFromServer && message[0] === TRANSPORT) kept.push(message);
      return [message];
    });
    const probe = await addDevice({ endpoint: { host: "127.0.0.1", port: keeping } });
    expect(await probeTunnel(probe)).toEqual(succeeded);
    expect(kept).not.toHaveLength(0);

    let answers = 0;
    const forging = await openRelay((message, isFromServer) => {
      if (!isFromServer || message[0] !== TRANSPORT) return [message];
      answers++;
      const changed = Buffer.from(message);
      changed[20] = (changed[20] ?? 0) ^ 1;
      const replayed = kept.map((old) =>
        Buffer.concat([old.subarray(0, 4), message.subarray(4, 8), old.subarray(8)]),
      );
      return [changed, ...kept, ...replayed, message.subarray(0, -1), Buffer.alloc(0)];
    });
    const forged = await addDevice({ endpoint: { host: "127.0.0.1", port: forging }, timeoutMs: 400 });
    expect(await probeTunnel(forged)).toEqual(noEcho);
    expect(answers).toBeGreaterThan(0);
  });

  test("an honest answer is taken after forged ones, and once", async () => {
    const relay = await openRelay((message, isFromServer) => {
      if (!isFromServer || message[0] !== TRANSPORT) return [message];
      // A counter far ahead: were it believed, the honest answer would come too late.
      const ahead = Buffer.from(message);
      ahead.writeBigUInt64LE(2n ** 60n, 8);
      return [ahead, message, message];
    });
    const probe = await addDevice({ endpoint: { host: "127.0.0.1", port: relay } });
    expect(await probeTunnel(probe)).toEqual(succeeded);
  });

  test("a node under load asks for a cookie, and answers through its tunnel all the same", async () => {
    const probe = await addDevice({ presharedKey, retryEveryMs: 60, timeoutMs: 10_000 });
    const stranger = { privateKey: generateKeyPair().privateKey, serverPublicKey: server.publicKey };
    const junk = createInitiator(stranger).initiate(7).message;
    const flood = createSocket("udp4");
    let cookies = 0;
    flood.on("message", () => cookies++);
    const bursts = setInterval(() => {
      for (let sent = 0; sent < 200; sent++) flood.send(junk, port, "127.0.0.1");
    }, 10);
    try {
      // The flood itself is asked for a cookie: the server is under load, and stays so for a second.
      await expect.poll(() => cookies, { timeout: 10_000 }).toBeGreaterThan(0);
      expect(await probeTunnel(probe)).toEqual(succeeded);
    } finally {
      clearInterval(bursts);
      flood.close();
    }
  }, 40_000);
});
