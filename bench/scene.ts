import { labRequirements, runOrThrow } from "@securewave/testing";
import { type Peer, type PublicKey, parsePresharedKey } from "@securewave/wireguard";
import { probeHandshake } from "@securewave/wireguard/handshake";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { ACCOUNT_DEVICES_MAX, type Customer, openService, type Service } from "./service.ts";
import { inParallel } from "./statistics.ts";
import { openNode, type VpnNode } from "./vpn-node.ts";

export const CALLERS = 8;
const LIVE_WITHIN_MS = 10_000;

/** A service with one node, and customers with devices on it. */
export interface Scene {
  readonly service: Service;
  readonly node: VpnNode;
  /** Has the first devices, as many as an account may have. */
  readonly firstCustomer: Customer;
  readonly deviceCount: number;
  /** Adds devices by the API until there are so many, and waits until the node has them. */
  growTo(count: number): Promise<void>;
  /** Creates one device by the API. */
  create(body?: { readonly public_key?: string }): Promise<CreatedDevice>;
  /**
   * Milliseconds from the call of the API until the node answers the device's handshake. The device is removed again,
   * which is not timed.
   */
  timeUntilLive(): Promise<number>;
  close(): Promise<void>;
}

export interface CreatedDevice {
  readonly id: string;
  readonly public_key: string;
  readonly customer: Customer;
  readonly tunnel: { readonly preshared_key: string | null; readonly addresses: readonly string[] };
}

/** What a scene needs of the machine. */
export const sceneRequirements = () => labRequirements();

export async function openScene(): Promise<Scene> {
  const service = await openService();
  try {
    const node = await openNode(service);
    return await sceneOn(service, node).catch(async (error: unknown) => {
      await node.close();
      throw error;
    });
  } catch (error) {
    await service.close();
    throw error;
  }
}

async function sceneOn(service: Service, node: VpnNode): Promise<Scene> {
  const firstCustomer = await service.addCustomer();
  const customers: { readonly customer: Customer; devices: number }[] = [
    { customer: firstCustomer, devices: 0 },
  ];
  let deviceCount = 0;
  let names = 0;

  /** The customer of the next device: the first one who may have another. */
  async function nextCustomer(): Promise<Customer> {
    const last = customers.at(-1);
    if (last !== undefined && last.devices < ACCOUNT_DEVICES_MAX) {
      last.devices++;
      return last.customer;
    }
    const customer = await service.addCustomer();
    customers.push({ customer, devices: 1 });
    return customer;
  }

  async function createFor(customer: Customer, body: object): Promise<CreatedDevice> {
    const device = { name: `device ${String(names++).padStart(6, "0")}`, type: "phone", ...body };
    const answer = await service.http.call("POST", "/api/vpn/devices", customer.token, device);
    deviceCount++;
    return { ...JSON.parse(answer.body.toString()), customer };
  }

  async function growTo(count: number): Promise<void> {
    const wanted = count - deviceCount;
    if (wanted <= 0) return;
    const owners: Customer[] = [];
    while (owners.length < wanted) owners.push(await nextCustomer());
    await inParallel(CALLERS, wanted, (piece) =>
      createFor(owners[piece] ?? firstCustomer, { public_key: generateKeyPair().publicKey }),
    );
    await waitForPeers(node, count);
  }

  return {
    service,
    node,
    firstCustomer,
    get deviceCount() {
      return deviceCount;
    },
    growTo,
    create: async (body = {}) => createFor(await nextCustomer(), body),

    async timeUntilLive() {
      const customer = await nextCustomer();
      const keys = generateKeyPair();
      const startMs = performance.now();
      const device = await createFor(customer, { public_key: keys.publicKey });
      const presharedKey = parsePresharedKey(device.tunnel.preshared_key ?? "");
      const answer = await probeHandshake({
        endpoint: node.endpoint,
        privateKey: keys.privateKey,
        serverPublicKey: node.publicKey,
        ...(presharedKey === undefined ? {} : { presharedKey }),
        timeoutMs: LIVE_WITHIN_MS,
        retryEveryMs: 1,
      });
      const liveMs = performance.now() - startMs;
      if (!answer.ok)
        throw new Error(`a new device was not live within ${LIVE_WITHIN_MS} ms: ${answer.reason}`);
      await confirmOnNode(node, keys.publicKey, device.tunnel.addresses);
      await service.http.call("DELETE", `/api/vpn/devices/${device.id}`, customer.token);
      deviceCount--;
      const owner = customers.find((entry) => entry.customer === customer);
      if (owner !== undefined) owner.devices--;
      return liveMs;
    },

    async close() {
      await node.close();
      await service.close();
    },
  };
}

async function waitForPeers(node: VpnNode, count: number): Promise<void> {
  const deadline = performance.now() + LIVE_WITHIN_MS;
  while ((await node.peers()).length < count) {
    if (performance.now() > deadline) throw new Error(`the node has not got its ${count} peers`);
  }
}

async function confirmOnNode(node: VpnNode, key: PublicKey, addresses: readonly string[]): Promise<void> {
  const { stdout } = await runOrThrow("wg", ["show", node.interfaceName, "allowed-ips"]);
  const line = stdout.split("\n").find((text) => text.startsWith(key));
  if (!addresses.every((address) => line?.includes(address))) {
    throw new Error("wg does not show the device that was created");
  }
}

/** Peers for an interface that is used raw, with addresses that none of the service's has. */
export function madeUpPeers(count: number, firstIndex = 0): Peer[] {
  return Array.from({ length: count }, (_, at) => madeUpPeer(firstIndex + at));
}

export function madeUpPeer(index: number): Peer {
  const presharedKey = parsePresharedKey(generateKeyPair().privateKey);
  const allowedIps = [`10.9.${index >> 8}.${index & 255}/32`, `fd00:9::${(index + 1).toString(16)}/128`];
  return {
    publicKey: generateKeyPair().publicKey,
    allowedIps,
    ...(presharedKey === undefined ? {} : { presharedKey }),
  };
}
