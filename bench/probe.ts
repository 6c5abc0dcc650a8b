import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { createNetwork, runOrThrow } from "@securewave/testing";
import { decodeKey, type PublicKey } from "@securewave/wireguard";
import { probeTunnel } from "@securewave/wireguard/handshake";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import {
  openTestInterface,
  type TestInterface,
  wireguardMissing,
} from "@securewave/wireguard/testing-interface";
import type { Bench, Figure } from "./figure.ts";
import { median, percentile } from "./statistics.ts";

const ROUNDS = 15;
const PER_ROUND = 20;
/** wireguard-go lets a key in every 20 ms, and its clients' time stamps differ every 17 ms. */
const PAUSE_MS = 30;
const WITHIN_MS = 5000;

/** What the health check measures, beside a client of wireguard-go and `ping` on the same server. */
export const probe: Bench = {
  name: "probe",
  async measure({ isQuick, progress, report, leaveOut }) {
    if (wireguardMissing !== undefined) return leaveOut("probe.handshake_ms, probe.echo_ms");
    await using scene = await openTunnel();
    const times = {
      handshake: [] as number[],
      echo: [] as number[],
      client: [] as number[],
      ping: [] as number[],
    };
    for (let round = -1; round < (isQuick ? 1 : ROUNDS); round++) {
      for (let at = 0; at < PER_ROUND; at++) {
        await pause(PAUSE_MS);
        const probed = await scene.probe();
        await pause(PAUSE_MS);
        const clientMs = await scene.timeClient();
        if (round < 0) continue; // warming up
        times.handshake.push(probed.handshakeMs);
        times.echo.push(probed.echoMs);
        times.client.push(clientMs);
      }
      const pings = await scene.ping(PER_ROUND);
      if (round >= 0) times.ping.push(...pings);
      progress(`  ${times.handshake.length} probes`);
    }
    const count = times.handshake.length;
    const shake = `from the initiation to the response, of ${count}; limit: a client of wireguard-go, from its endpoint to its handshake`;
    const echo = `through the tunnel, of ${count}; limit: ping through a client's tunnel to the same address`;
    report(
      ...figures("probe.handshake", times.handshake, times.client, shake),
      ...figures("probe.echo", times.echo, times.ping, echo),
    );
  },
};

function figures(id: string, ours: readonly number[], limit: readonly number[], note: string): Figure[] {
  const shared = { unit: "ms", goal: null };
  return [
    { ...shared, id: `${id}_ms`, value: median(ours), limit: median(limit), note: `median ${note}` },
    {
      ...shared,
      id: `${id}_p99_ms`,
      value: percentile(ours, 0.99),
      limit: percentile(limit, 0.99),
      note: `99 of 100 ${note}`,
    },
  ];
}

/** A server and a client, both of wireguard-go; their outer ports meet on loopback, their tunnels end in namespaces. */
async function openTunnel() {
  const network = createNetwork();
  const opened: TestInterface[] = [];
  const close = async () => {
    for (const one of opened) await one.close();
    await network.destroy();
  };
  const [serverKeys, clientKeys, proberKeys] = [generateKeyPair(), generateKeyPair(), generateKeyPair()];
  try {
    const [serverSide, clientSide] = [
      await network.addNamespace("server"),
      await network.addNamespace("client"),
    ];
    const openIn = async (namespace: string, address: string) => {
      const one = await openTestInterface(namespace);
      opened.push(one);
      await runOrThrow("ip", ["-n", namespace, "addr", "add", `${address}/24`, "dev", one.name]);
      return one;
    };
    const server = await openIn(serverSide, "10.8.0.1");
    const client = await openIn(clientSide, "10.8.0.2");
    const peers = [
      { publicKey: clientKeys.publicKey, allowedIps: ["10.8.0.2/32"] },
      { publicKey: proberKeys.publicKey, allowedIps: ["10.8.0.3/32"] },
    ];
    await server.uapi.set({ privateKey: serverKeys.privateKey, listenPort: 0, peers });
    await client.uapi.set({ privateKey: clientKeys.privateKey, listenPort: 0 });
    const endpoint = { host: "127.0.0.1", port: (await server.uapi.get()).listenPort };

    return {
      async probe() {
        const result = await probeTunnel({
          endpoint,
          serverPublicKey: serverKeys.publicKey,
          privateKey: proberKeys.privateKey,
          timeoutMs: WITHIN_MS,
          echo: { from: "10.8.0.3", to: "10.8.0.1" },
        });
        if (!result.ok) throw new Error(`a probe failed: ${result.reason}`);
        return result;
      },
      /** By the time that the client itself notes for its handshake. */
      async timeClient() {
        await client.uapi.set({ replacePeers: true });
        const startMs = performance.timeOrigin + performance.now();
        await connectPeer(client.socketPath, serverKeys.publicKey, endpoint.port);
        for (;;) {
          const { seconds = 0, nanoseconds = 0 } = (await client.uapi.get()).peers[0]?.lastHandshake ?? {};
          const nowMs = performance.timeOrigin + performance.now();
          const shakenMs = seconds * 1000 + nanoseconds / 1e6;
          if (seconds > 0 && (shakenMs < startMs || shakenMs > nowMs)) throw new Error("two clocks differ");
          if (seconds > 0) return shakenMs - startMs;
          if (nowMs - startMs > WITHIN_MS) throw new Error("the client had no handshake");
          await pause(2);
        }
      },
      async ping(count: number) {
        const args = ["-n", "-c", String(count), "-i", "0.01", "10.8.0.1"];
        const { stdout } = await runOrThrow("ping", args, { namespace: clientSide });
        return [...stdout.matchAll(/ time=([\d.]+) ms$/gm)].map(([, ms]) => Number(ms));
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Gives a client its server, by what `wg set … endpoint … persistent-keepalive` writes, without starting a program for
 * it: the keepalive, due at once, makes the client shake hands.
 */
async function connectPeer(socketPath: string, publicKey: PublicKey, port: number): Promise<void> {
  const lines = [
    "set=1",
    `public_key=${Buffer.from(decodeKey(publicKey)).toString("hex")}`,
    `endpoint=127.0.0.1:${port}`,
    "allowed_ip=10.8.0.0/24",
    "persistent_keepalive_interval=60",
  ];
  const socket = connect(socketPath);
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("data", (answer) =>
      answer.toString().startsWith("errno=0\n")
        ? resolve()
        : reject(new Error("wireguard-go refused a peer")),
    );
    socket.write(`${lines.join("\n")}\n\n`);
  });
  socket.destroy();
}
