import { writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Ghost, Step } from "@securewave/ghosts";
import type { AuditorNode } from "@securewave/ghosts/auditor-protocol";
import { generatePresharedKey } from "@securewave/wireguard";
import { namespaceName } from "./leftovers.ts";
import { createMachine, type GhostMachine } from "./namespace.ts";
import { mustRun } from "./run-program.ts";
import type { CallService } from "./service-calls.ts";

export interface TunnelOptions {
  readonly node: AuditorNode;
  readonly call: CallService;
  readonly isQuick: boolean;
}

export interface Tunnels {
  readonly step: Step;
  /** An interface of this machine with nothing behind it, for the control; there once the step is done. */
  readonly emptyCable: string;
  close(): Promise<void>;
}

/** The account of the ghosts has room for them, whatever the limit of devices. */
const THROUGH_TUNNELS = 3;
/** The node forgets a session 180 s after its last handshake, and looks every few seconds. */
const FORGOTTEN_AFTER_MS = 240_000;
/** `nf_conntrack_tcp_timeout_close` is 10 s: so long the kernel knows of a call of the API that was broken off. */
const CLOSED_AFTER_MS = 13_000;
const SERVES_WITHIN_MS = 30_000;

/** Ghosts with machines of their own, at their own addresses, that go through the node on this machine. */
export function openTunnels({ node, call, isQuick }: TunnelOptions): Tunnels {
  const machines: GhostMachine[] = [];
  const headers = { authorization: `Bearer ${node.token}` };
  const cableOf = (index: number) => `swg${process.pid.toString(36)}h${index}`;
  // wireguard-go keeps the sockets of all namespaces in one folder.
  const tunnelOf = (index: number) => `swg${process.pid.toString(36)}t${index}`;

  async function connect(
    ghost: Ghost,
    index: number,
    isHalf: boolean,
  ): Promise<Ghost & { deviceId: string }> {
    const router = ghost.ipv4.replace(/\d+$/, "1");
    const cable = { name: cableOf(index), hostAddress: router, ghostAddress: ghost.ipv4 };
    const machine = await createMachine(namespaceName(index), cable);
    machines.push(machine);
    const body = { name: `Ghost ${index + 1}`, public_key: ghost.publicKey, server_id: node.id };
    const answer = await call({ method: "POST", path: "/api/vpn/devices", body, headers });
    const { deviceId, serverKey, presharedKey, addresses } = readDevice(answer);
    const path = join(tmpdir(), `${machine.namespace}.conf`);
    const secret = isHalf ? generatePresharedKey() : presharedKey;
    await writeFile(
      path,
      `[Interface]
PrivateKey = ${ghost.privateKey}
[Peer]
PublicKey = ${serverKey}
${secret === undefined ? "" : `PresharedKey = ${secret}\n`}Endpoint = ${router}:${node.listenPort}
AllowedIPs = ${node.gateway}/32
`,
      { mode: 0o600 },
    );
    await bringUp(machine, {
      path,
      tunnel: tunnelOf(index),
      address: addresses[0] ?? "",
      gateway: node.gateway,
    });
    if (isHalf) await machine.runInside("ping", "-c", "1", "-W", "3", node.gateway);
    else await use(machine);
    const [tunnelIpv4, tunnelIpv6] = [4, 6].map((family) =>
      addresses.map(withoutLength).find((address) => isIP(address) === family),
    );
    return { ...ghost, tunnelIpv4, tunnelIpv6, deviceId };
  }

  /** The node learns of a new device within moments. */
  async function use(machine: GhostMachine): Promise<void> {
    const deadline = performance.now() + SERVES_WITHIN_MS;
    while ((await machine.runInside("ping", "-c", "1", "-W", "2", node.gateway)) !== 0) {
      if (performance.now() > deadline) throw new Error("a tunnel of a ghost carries nothing");
    }
    await machine.runInside("ping", "-q", "-c", "50", "-i", "0.02", "-s", "1200", node.gateway);
  }

  async function close(): Promise<void> {
    for (const machine of machines.splice(0)) await machine.remove();
  }

  /** The node takes removed devices off its interface within moments. */
  async function removeDevices(devices: readonly (Ghost & { deviceId: string })[]): Promise<void> {
    for (const { deviceId } of devices)
      await call({ method: "DELETE", path: `/api/vpn/devices/${deviceId}`, headers });
    const deadline = performance.now() + SERVES_WITHIN_MS;
    for (;;) {
      const peers = await mustRun("wg", "show", node.interfaceName, "peers");
      if (!devices.some(({ publicKey }) => publicKey !== undefined && peers.includes(publicKey))) return;
      if (performance.now() > deadline) throw new Error("the node keeps a device that was removed");
      await pause(200);
    }
  }

  async function act(ghosts: readonly Ghost[]): Promise<readonly Ghost[]> {
    const travelling = ghosts.slice(0, THROUGH_TUNNELS);
    const learned: (Ghost & { deviceId: string })[] = [];
    for (const [index, ghost] of travelling.entries())
      learned.push(await connect(ghost, index, index === travelling.length - 1));
    for (const [index, machine] of machines.entries())
      await machine.runInside("ip", "link", "del", tunnelOf(index));
    await close(); // the cables' own addresses and neighbours are the ghosts'
    machines.push(await createMachine(namespaceName(THROUGH_TUNNELS), { name: cableOf(THROUGH_TUNNELS) }));
    if (isQuick) await removeDevices(learned);
    await pause(isQuick ? CLOSED_AFTER_MS : FORGOTTEN_AFTER_MS);
    return [...learned.map(({ deviceId: _, ...ghost }) => ghost), ...ghosts.slice(THROUGH_TUNNELS)];
  }

  const end = isQuick ? "their devices are removed" : "the node is given four minutes to forget them";
  return {
    step: {
      does: `two connect through tunnels and use them, one does half a handshake; they go away, and ${end}`,
      act,
    },
    emptyCable: cableOf(THROUGH_TUNNELS),
    close,
  };
}

interface TunnelSettings {
  /** What `wg setconf` takes. */
  readonly path: string;
  readonly tunnel: string;
  readonly address: string;
  readonly gateway: string;
}

/** By the kernel's WireGuard, or by wireguard-go where it has none. */
async function bringUp(
  machine: GhostMachine,
  { path, tunnel, address, gateway }: TunnelSettings,
): Promise<void> {
  const ip = (...args: string[]) => machine.runInside("ip", ...args);
  if ((await ip("link", "add", tunnel, "type", "wireguard")) !== 0)
    await machine.runInside("wireguard-go", tunnel);
  const results = [
    await machine.runInside("wg", "setconf", tunnel, path),
    await ip("addr", "add", address, "dev", tunnel),
    await ip("link", "set", tunnel, "mtu", "1280", "up"),
    await ip("route", "add", gateway, "dev", tunnel),
  ];
  if (results.some((code) => code !== 0)) throw new Error("a tunnel of a ghost could not be made");
}

function withoutLength(address: string): string {
  return address.split("/")[0] ?? "";
}

interface Device {
  readonly deviceId: string;
  readonly serverKey: string;
  readonly presharedKey: string | undefined;
  readonly addresses: readonly string[];
}

function readDevice({ status, text }: { readonly status: number; readonly text: string }): Device {
  if (status !== 201) throw new Error(`a ghost got no device: ${status}`);
  const { id, tunnel } = JSON.parse(text);
  return {
    deviceId: String(id),
    serverKey: String(tunnel?.server_public_key),
    presharedKey: typeof tunnel?.preshared_key === "string" ? tunnel.preshared_key : undefined,
    addresses: Array.isArray(tunnel?.addresses) ? tunnel.addresses.map(String) : [],
  };
}
