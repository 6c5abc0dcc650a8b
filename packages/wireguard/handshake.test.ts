import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { setTimeout as sleep } from "node:timers/promises";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { blake2s } from "@noble/hashes/blake2.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HandshakeProbe, probeHandshake } from "./handshake.ts";
import { createInitiator, INITIATION_BYTES } from "./handshake-messages.ts";
import { decodeKey, generatePresharedKey } from "./keys.ts";
import { generateKeyPair } from "./native-keys.ts";
import {
  openTestInterface,
  type TestInterface,
  wireguardMissing,
  withWireguard,
} from "./testing-interface.ts";

const server = generateKeyPair();
const presharedKey = generatePresharedKey();

describe.skipIf(wireguardMissing)(withWireguard("with wireguard-go"), () => {
  let open: TestInterface;
  let port = 0;
  beforeAll(async () => {
    open = await openTestInterface();
    await open.uapi.set({ privateKey: server.privateKey, listenPort: 0 });
    port = (await open.uapi.get()).listenPort;
  });
  afterAll(() => open.close());

  /** Registers a device, and gives what a probe of it needs; a fresh key each, as one key is let in every 20 ms. */
  async function addDevice(key?: typeof presharedKey): Promise<HandshakeProbe> {
    const { privateKey, publicKey } = generateKeyPair();
    await open.uapi.set({ peers: [{ publicKey, presharedKey: key ?? null }] });
    return probeOf({ privateKey, ...(key && { presharedKey: key }) });
  }

  function probeOf(identity: Pick<HandshakeProbe, "privateKey" | "presharedKey">): HandshakeProbe {
    return {
      endpoint: { host: "127.0.0.1", port },
      serverPublicKey: server.publicKey,
      timeoutMs: 5000,
      ...identity,
    };
  }

  async function handshakeSecondsOf(index: number): Promise<number | undefined> {
    return (await open.uapi.get()).peers.at(index)?.lastHandshake.seconds;
  }

  test("a known device gets its handshake, with and without a preshared key", async () => {
    for (const key of [undefined, presharedKey]) {
      const result = await probeHandshake(await addDevice(key));
      expect(result).toEqual({ ok: true, handshakeMs: expect.any(Number), elapsedMs: expect.any(Number) });
    }
  });

  test("only a confirmed handshake counts as complete", async () => {
    await open.uapi.set({ replacePeers: true });
    const probe = await addDevice(presharedKey);
    expect((await probeHandshake(probe)).ok).toBe(true);
    expect(await handshakeSecondsOf(0)).toBe(0);
    await sleep(60);
    expect((await probeHandshake({ ...probe, confirm: true })).ok).toBe(true);
    await expect.poll(() => handshakeSecondsOf(0)).toBeGreaterThan(0);
  });

  test("another preshared key is told from silence", async () => {
    const probe = await addDevice(presharedKey);
    const result = await probeHandshake({ ...probe, presharedKey: generatePresharedKey() });
    expect(result).toEqual({ ok: false, reason: "authentication" });
  });

  test("a wrong server key and an unknown device get no answer", async () => {
    const known = await addDevice();
    const probes = [
      { ...known, serverPublicKey: generateKeyPair().publicKey },
      probeOf({ privateKey: generateKeyPair().privateKey }),
    ];
    for (const probe of probes) {
      expect(await probeHandshake({ ...probe, timeoutMs: 200 })).toEqual({ ok: false, reason: "timeout" });
    }
  });

  test("a probe that retries is answered as soon as its device is registered", async () => {
    const { privateKey, publicKey } = generateKeyPair();
    const result = probeHandshake({ ...probeOf({ privateKey, presharedKey }), retryEveryMs: 1 });
    await sleep(100);
    await open.uapi.set({ peers: [{ publicKey, presharedKey }] });
    expect(await result).toMatchObject({ ok: true });
  });

  test("a server under load is answered with the cookie it asks for", async () => {
    const probe = await addDevice(presharedKey);
    const stranger = createInitiator({
      privateKey: generateKeyPair().privateKey,
      serverPublicKey: server.publicKey,
    });
    const junk = stranger.initiate(7).message;
    const flood = createSocket("udp4");
    let cookies = 0;
    flood.on("message", () => cookies++);
    const bursts = setInterval(() => {
      for (let sent = 0; sent < 200; sent++) flood.send(junk, port, "127.0.0.1");
    }, 10);
    try {
      // The flood itself is asked for a cookie: the server is under load, and stays so for a second.
      await expect.poll(() => cookies, { timeout: 10_000 }).toBeGreaterThan(0);
      const result = await probeHandshake({ ...probe, retryEveryMs: 60, timeoutMs: 10_000 });
      expect(result).toMatchObject({ ok: true });
    } finally {
      clearInterval(bursts);
      flood.close();
    }
  }, 30_000);
});

test("an initiation is sent again with the cookie that was asked for", async () => {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const cookie = randomBytes(16);
  const received: Buffer[] = [];
  socket.on("message", (message, from) => {
    received.push(message);
    socket.send(cookieReply(message, cookie), from.port, from.address);
  });
  try {
    const { privateKey } = generateKeyPair();
    const endpoint = { host: "127.0.0.1", port: socket.address().port };
    const probe = { endpoint, serverPublicKey: server.publicKey, privateKey, timeoutMs: 300 };
    expect(await probeHandshake(probe)).toEqual({ ok: false, reason: "timeout" });
  } finally {
    socket.close();
  }
  const [first, second, ...more] = received;
  expect(more).toEqual([]);
  expect(first?.subarray(132)).toEqual(Buffer.alloc(16));
  const mac2 = blake2s(second?.subarray(0, 132) ?? Buffer.alloc(0), { key: cookie, dkLen: 16 });
  expect(second?.subarray(132)).toEqual(Buffer.from(mac2));
  // The time stamp, sealed; that it rises is shown by the server's answering retries of one key.
  expect(second).toHaveLength(INITIATION_BYTES);
});

test("a port where nothing listens is unreachable, and so is a name without an address", async () => {
  const closed = createSocket("udp4");
  await new Promise<void>((resolve) => closed.bind(0, "127.0.0.1", resolve));
  const { port } = closed.address();
  await new Promise<void>((resolve) => closed.close(() => resolve()));
  const { privateKey } = generateKeyPair();
  for (const host of ["127.0.0.1", "nowhere.invalid"]) {
    const probe = {
      endpoint: { host, port },
      serverPublicKey: server.publicKey,
      privateKey,
      timeoutMs: 2000,
    };
    expect(await probeHandshake(probe)).toEqual({ ok: false, reason: "unreachable" });
  }
});

test("forged answers are ignored", async () => {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  socket.on("message", (message, from) => {
    const index = message.subarray(4, 8);
    const response = Buffer.concat([Buffer.from([2, 0, 0, 0, 1, 2, 3, 4]), index, Buffer.alloc(80)]);
    const cookie = Buffer.concat([Buffer.from([3, 0, 0, 0]), index, randomBytes(56)]);
    for (const forged of [response, cookie, response.subarray(1), Buffer.alloc(0)]) {
      socket.send(forged, from.port, from.address);
    }
  });
  try {
    const { privateKey } = generateKeyPair();
    const endpoint = { host: "127.0.0.1", port: socket.address().port };
    const probe = { endpoint, serverPublicKey: server.publicKey, privateKey, timeoutMs: 200 };
    expect(await probeHandshake(probe)).toEqual({ ok: false, reason: "timeout" });
  } finally {
    socket.close();
  }
});

/** The paper's §5.4.7, from the server's side. */
function cookieReply(initiation: Buffer, cookie: Uint8Array): Buffer {
  const key = blake2s(Buffer.concat([Buffer.from("cookie--"), decodeKey(server.publicKey)]));
  const nonce = randomBytes(24);
  const sealed = xchacha20poly1305(key, nonce, initiation.subarray(116, 132)).encrypt(cookie);
  return Buffer.concat([Buffer.from([3, 0, 0, 0]), initiation.subarray(4, 8), nonce, sealed]);
}
