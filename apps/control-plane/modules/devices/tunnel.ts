import type { Tunnel } from "@securewave/contracts";
import { renderDeviceConfig } from "@securewave/contracts/device-config";
import type { PeerSpec } from "@securewave/contracts/node-protocol";
import { invariant } from "@securewave/foundation";
import { deriveKey } from "@securewave/foundation/derive";
import type { MasterKey, MasterKeys } from "@securewave/foundation/envelope";
import { createPresharedKeys, parsePrivateKey } from "@securewave/wireguard";
import type { NodeRow } from "../nodes/index.ts";
import { addressesAt, type Pools } from "./addresses.ts";
import type { DeviceRow } from "./device.ts";

export interface TunnelSettings {
  readonly pools: Pools;
  readonly dns: readonly string[];
  readonly mtu: number;
  readonly keepaliveSeconds: number;
  readonly masterKeys: MasterKeys;
}

type Keyed = Pick<DeviceRow, "public_key" | "preshared_key_master" | "preshared_key_sealed">;

/** All traffic goes through the tunnel. */
const ALL_ADDRESSES = ["0.0.0.0/0", "::/0"];

/** How a device and its node see the tunnel between them. */
export function createTunnels({ pools, dns, mtu, keepaliveSeconds, masterKeys }: TunnelSettings) {
  const ring = typeof masterKeys === "function" ? masterKeys : () => masterKeys;
  const makers = new WeakMap<MasterKey, ReturnType<typeof createPresharedKeys>>();

  function makerOf(master: MasterKey) {
    const known = makers.get(master);
    if (known) return known;
    const maker = createPresharedKeys(deriveKey(master.key, "preshared keys"));
    makers.set(master, maker);
    return maker;
  }

  /** Derived from a master key and the device's public key, so that it is nowhere stored. */
  function derivedKeyOf({
    public_key,
    preshared_key_master,
  }: Pick<Keyed, "public_key" | "preshared_key_master">): string | null {
    if (preshared_key_master === null) return null;
    const master = ring().find(({ number }) => number === preshared_key_master);
    invariant(master, "the master key of every preshared key is in the ring");
    return makerOf(master)(public_key);
  }

  function tunnelOf(device: Keyed & Pick<DeviceRow, "address_index">, node: NodeRow): Tunnel {
    const { wireguard_public_key, endpoint_host, endpoint_port } = node;
    invariant(device.address_index !== null, "an active device has an address");
    invariant(
      wireguard_public_key && endpoint_host && endpoint_port,
      "a joined node has a key and an endpoint",
    );
    return {
      addresses: addressesAt(pools, device.address_index),
      dns: [...dns],
      mtu,
      server_public_key: wireguard_public_key,
      preshared_key: derivedKeyOf(device),
      preshared_key_agreed: device.preshared_key_sealed !== null,
      endpoint: { host: endpoint_host, port: endpoint_port },
      allowed_ips: ALL_ADDRESSES,
      persistent_keepalive_seconds: keepaliveSeconds,
    };
  }

  return {
    /** The number of the key that a new device's preshared key is derived from. */
    get newestMaster() {
      return ring()[0]?.number ?? null;
    },
    tunnelOf,

    /** @param agreedKey the preshared key that the device has agreed, opened */
    specOf(
      device: Omit<Keyed, "preshared_key_sealed"> & { address_index: number; tier: number | null },
      agreedKey: string | null = null,
    ): PeerSpec {
      return {
        public_key: device.public_key,
        preshared_key: agreedKey ?? derivedKeyOf(device),
        allowed_ips: addressesAt(pools, device.address_index),
        tier: device.tier ?? 0,
      };
    },

    /** The `.conf` of a device whose private key is at hand. */
    configOf(device: DeviceRow, node: NodeRow, privateKeyText: string): string {
      const privateKey = parsePrivateKey(privateKeyText);
      const config = privateKey && renderDeviceConfig(tunnelOf(device, node), privateKey);
      invariant(config !== undefined, "stored keys are valid");
      return config;
    },
  };
}

export type Tunnels = ReturnType<typeof createTunnels>;
