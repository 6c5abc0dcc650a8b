import type { Tunnel } from "@securewave/contracts";
import { renderDeviceConfig } from "@securewave/contracts/device-config";
import type { PeerSpec } from "@securewave/contracts/node-protocol";
import { invariant } from "@securewave/foundation";
import { deriveKey } from "@securewave/foundation/derive";
import type { MasterKey } from "@securewave/foundation/envelope";
import { createPresharedKeys, parsePrivateKey } from "@securewave/wireguard";
import type { NodeRow } from "../nodes/index.ts";
import { addressesAt, type Pools } from "./addresses.ts";
import type { DeviceRow } from "./device.ts";

export interface TunnelSettings {
  readonly pools: Pools;
  readonly dns: readonly string[];
  readonly mtu: number;
  readonly keepaliveSeconds: number;
  readonly masterKeys: readonly MasterKey[];
}

type Keyed = Pick<DeviceRow, "public_key" | "preshared_key_master">;

/** All traffic goes through the tunnel. */
const ALL_ADDRESSES = ["0.0.0.0/0", "::/0"];

/** How a device and its node see the tunnel between them. */
export function createTunnels({ pools, dns, mtu, keepaliveSeconds, masterKeys }: TunnelSettings) {
  const makers = new Map(
    masterKeys.map(({ number, key }) => [number, createPresharedKeys(deriveKey(key, "preshared keys"))]),
  );

  /** Derived from a master key and the device's public key, so that it is nowhere stored. */
  function presharedKeyOf({ public_key, preshared_key_master }: Keyed): string | null {
    if (preshared_key_master === null) return null;
    const make = makers.get(preshared_key_master);
    invariant(make, "the master key of every preshared key is in the ring");
    return make(public_key);
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
      preshared_key: presharedKeyOf(device),
      endpoint: { host: endpoint_host, port: endpoint_port },
      allowed_ips: ALL_ADDRESSES,
      persistent_keepalive_seconds: keepaliveSeconds,
    };
  }

  return {
    newestMaster: masterKeys[0]?.number ?? null,
    tunnelOf,

    specOf(device: Keyed & { address_index: number }): PeerSpec {
      return {
        public_key: device.public_key,
        preshared_key: presharedKeyOf(device),
        allowed_ips: addressesAt(pools, device.address_index),
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
