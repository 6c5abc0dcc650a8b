import type { DeviceWithTunnel } from "@securewave/contracts";
import {
  connectWireGuard,
  eventually,
  LAB_ADDRESSES,
  type NetworkLab,
  ping,
  type RunningProcess,
  runOrThrow,
  startProcess,
  type WireGuardClient,
} from "@securewave/testing";
import { generateKeyPair } from "@securewave/wireguard";
import { configOf } from "./device-config.ts";
import type { Person } from "./people.ts";
import { bytesOf, type Counters, countersOf, most, NONE, plus, transferOf } from "./wireguard-counters.ts";

const WEB_PORT = 80;
const FORGOTTEN_WITHIN_MS = 40_000;
/** WireGuard §6.1: a peer that hears nothing for so long, KEEPALIVE_TIMEOUT + REKEY_TIMEOUT, shakes hands anew. */
const CARRIES_WITHIN_MS = 30_000;

/** A device in a namespace of its own. */
interface Tunnel {
  readonly owner: Person;
  readonly device: DeviceWithTunnel;
  readonly namespace: string;
  /** The node, as the device's own network has it. */
  readonly gateway: string;
  readonly configuration: string;
  /** What it uploads and downloads at a time, some five times a second. */
  readonly round: { readonly up: number; readonly down: number };
}

interface TunnelEnds {
  readonly client: Counters;
  readonly node: Counters;
  /** As the client's program saw it: a lower bound. */
  readonly payload: Counters;
}

/** Bytes that were carried, by a customer's mail address. */
export type Carried = (email: string) => number;

/** Three tunnels of two customers through one node, and what is counted at their ends. */
export interface UsageTunnels {
  /** Begins traffic in all tunnels. */
  startTraffic(): Promise<void>;
  /** Lets the last round end; without a tunnel it never would. */
  stopTraffic(graceMs?: number): Promise<void>;
  /** Has all clients leave, and their lines with them. */
  disconnect(): Promise<void>;
  /** Has them come back, and waits until tunnels carry. */
  connect(): Promise<void>;
  /** What WireGuard on the node counted until this moment, over all lives of its counters. */
  carried(): Promise<Carried>;
  /** Cuts the clients' lines and notes what the node's counters say, which are about to begin at zero. */
  endCounters(): Promise<Carried>;
  /** Notes what they say until they are zero. */
  followCountersToEnd(): Promise<void>;
  /** What each tunnel's two ends counted, and what went through as payload. */
  ends(): Promise<readonly TunnelEnds[]>;
  close(): Promise<void>;
}

/** Answers each body with as many bytes as the path says. Arguments: address, port. */
const WEB_SERVER = `
const [address, port] = process.argv.slice(1);
require("node:http").createServer((request, response) => {
  request.resume().on("end", () => response.end(Buffer.alloc(Number(request.url.slice(1)))));
}).listen(Number(port), address, () => console.log("listening"));`;

/** Uploads and downloads some five times a second until it is asked to stop. Arguments: URL, bytes up, bytes down. */
const TRAFFIC = `
const [url, up, down] = process.argv.slice(1);
const body = Buffer.alloc(Number(up));
let isOn = true;
let rounds = 0;
process.on("SIGTERM", () => { isOn = false; });
(async () => {
  while (isOn) {
    const answer = await fetch(url + "/" + down, { method: "POST", body });
    if ((await answer.arrayBuffer()).byteLength !== Number(down)) throw new Error("an answer is cut");
    if (++rounds === 1) console.log("running");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  console.log("rounds " + rounds);
  process.exit(0);
})();`;

const ROUNDS = [
  { up: 20_011, down: 90_001 },
  { up: 60_013, down: 30_011 },
  { up: 10_007, down: 120_011 },
] as const;

export interface UsageTunnelsOptions {
  readonly lab: NetworkLab;
  readonly ada: Person;
  readonly bob: Person;
  /** Of WireGuard on the node. */
  readonly interfaceName: string;
}

/** Gives Ada two devices and Bob one, and connects them. */
export async function openUsageTunnels({
  lab,
  ada,
  bob,
  interfaceName,
}: UsageTunnelsOptions): Promise<UsageTunnels> {
  const web = await startProcess({
    command: process.execPath,
    args: ["-e", WEB_SERVER, LAB_ADDRESSES.internet.v4, String(WEB_PORT)],
    namespace: lab.internet,
    readyWhen: /^listening$/,
  });
  const tunnels = await Promise.all([ada, ada, bob].map((owner, index) => addTunnel(lab, owner, index)));
  const clients = new Map<Tunnel, WireGuardClient>();
  const ended = { node: new Map<Tunnel, Counters>(), client: new Map<Tunnel, Counters>() };
  const payload = new Map<Tunnel, Counters>();
  const traffic = new Map<Tunnel, RunningProcess>();

  async function countersOnNode(): Promise<Map<Tunnel, Counters>> {
    const present = await transferOf(lab.node, interfaceName);
    return new Map(
      tunnels.map((tunnel) => [tunnel, plus(ended.node.get(tunnel), present.get(tunnel.device.public_key))]),
    );
  }

  function carriedIn(counters: ReadonlyMap<Tunnel, Counters>): Carried {
    return (email) => {
      const own = tunnels.filter(({ owner }) => owner.email === email);
      return own.reduce((sum, tunnel) => sum + bytesOf(counters.get(tunnel)), 0);
    };
  }

  /** Lets nothing through between clients and node, so that what one end counts after it was read is nothing. */
  async function cutLines(): Promise<void> {
    for (const { namespace } of tunnels)
      await runOrThrow("ip", ["-n", namespace, "link", "set", "to-node", "down"]);
  }

  async function mendLines(): Promise<void> {
    for (const { namespace, gateway } of tunnels) {
      await runOrThrow("ip", ["-n", namespace, "link", "set", "to-node", "up"]);
      await lab.routeThrough(namespace, gateway);
    }
  }

  async function connect(): Promise<void> {
    await Promise.all(
      tunnels.map(async (tunnel) => {
        clients.set(tunnel, await connectWireGuard(tunnel.namespace, tunnel.configuration));
        await eventually(
          async () => {
            const isUp = await ping(tunnel.namespace, LAB_ADDRESSES.internet.v4, { timeoutMs: 1000 });
            if (!isUp) throw new Error("a tunnel carries nothing");
          },
          { timeoutMs: CARRIES_WITHIN_MS },
        );
      }),
    );
  }

  await eventually(async () => {
    const peers = await transferOf(lab.node, interfaceName);
    if (peers.size < tunnels.length) throw new Error("the node has not got its devices");
  });
  await connect();

  return {
    async startTraffic() {
      await Promise.all(
        tunnels.map(async (tunnel) => {
          const { up, down } = tunnel.round;
          const url = `http://${LAB_ADDRESSES.internet.v4}:${WEB_PORT}`;
          const args = ["-e", TRAFFIC, url, String(up), String(down)];
          const command = { command: process.execPath, args, namespace: tunnel.namespace };
          traffic.set(tunnel, await startProcess({ ...command, readyWhen: /^running$/ }));
        }),
      );
    },
    async stopTraffic(graceMs) {
      await Promise.all(
        Array.from(traffic, async ([tunnel, program]) => {
          await program.stop(graceMs);
          const [, text = "0"] = /^rounds (\d+)$/m.exec(program.lines().join("\n")) ?? [];
          const { up, down } = tunnel.round;
          const more = { received: Number(text) * down, sent: Number(text) * up };
          payload.set(tunnel, plus(payload.get(tunnel), more));
        }),
      );
      traffic.clear();
    },
    async disconnect() {
      await cutLines();
      await Promise.all(
        Array.from(clients, async ([tunnel, client]) => {
          ended.client.set(tunnel, plus(ended.client.get(tunnel), await countersOf(client)));
          await client.down();
        }),
      );
      clients.clear();
    },
    async connect() {
      await mendLines();
      await connect();
    },
    carried: async () => carriedIn(await countersOnNode()),
    async endCounters() {
      await cutLines();
      const counters = await countersOnNode();
      ended.node = counters;
      return carriedIn(counters);
    },
    async followCountersToEnd() {
      const former = ended.node;
      let last = former;
      await eventually(
        async () => {
          const present = await countersOnNode();
          const isZero = tunnels.every(
            (tunnel) => bytesOf(present.get(tunnel)) === bytesOf(former.get(tunnel)),
          );
          if (isZero) return;
          last = new Map(tunnels.map((tunnel) => [tunnel, most(last.get(tunnel), present.get(tunnel))]));
          throw new Error("the node still counts");
        },
        { timeoutMs: FORGOTTEN_WITHIN_MS, everyMs: 20 },
      );
      ended.node = last;
    },
    async ends() {
      const counters = await countersOnNode();
      return Promise.all(
        tunnels.map(async (tunnel) => {
          const client = clients.get(tunnel);
          return {
            node: counters.get(tunnel) ?? NONE,
            client: plus(ended.client.get(tunnel), client && (await countersOf(client))),
            payload: payload.get(tunnel) ?? NONE,
          };
        }),
      );
    },
    async close() {
      for (const program of traffic.values()) await program.stop();
      for (const client of clients.values()) await client.down();
      await web.stop();
    },
  };
}

/** Gives a customer a device in a namespace of its own, whose only way out is the node. */
async function addTunnel(lab: NetworkLab, owner: Person, index: number): Promise<Tunnel> {
  const namespace = await lab.addNamespace(`device${index}`);
  const network = `10.81.${index}`;
  await lab.connect(namespace, lab.node, { v4: [`${network}.2/24`, `${network}.1/24`] });
  const gateway = `${network}.1`;
  await lab.routeThrough(namespace, gateway);
  const keys = generateKeyPair();
  const body = { name: `Device ${index}`, public_key: keys.publicKey };
  const device = await owner.client.devices.create({ body });
  const round = ROUNDS[index] ?? ROUNDS[0];
  return { owner, device, namespace, gateway, configuration: configOf(keys.privateKey, device), round };
}
