import type { Database } from "@securewave/database";
import { addressAt, GATEWAY_INDEX, type KeyPair, keyPairOf, type Peer } from "@securewave/wireguard";
import type { Telemetry } from "../../http/telemetry.ts";
import { isProberAddressFree, proberAddresses } from "../devices/index.ts";
import type { ServiceKey } from "../service-keys/index.ts";
import { type ProberOptions, startProber } from "./prober.ts";

export interface ProbingOptions extends Omit<ProberOptions, "keyFor" | "echo"> {
  readonly database: Database;
  readonly pools: Parameters<typeof proberAddresses>[0];
  /** The prober's keys are made of it, so that all replicas are one peer of a node. */
  readonly identity: ServiceKey;
  readonly telemetry: Pick<Telemetry, "gauge">;
  readonly isWanted: boolean;
}

export interface Probing {
  /** The prober as a peer of a node: in its desired state, and in no table. None while nothing is probed. */
  peersOf(nodeId: string): readonly Peer[];
  close(): void;
}

const OCCUPIED =
  "The address of the prober, the last of IP_POOL_V4, is a device's. Nodes are probed again once that device is revoked, or the pool is larger.";

export async function openProbing(options: ProbingOptions): Promise<Probing> {
  const { database, pools, identity, isWanted, logger, telemetry } = options;
  const isFree = await isProberAddressFree(database, pools);
  if (isWanted && !isFree) logger.warn("node_probes_off", { internal: OCCUPIED });
  if (!isWanted || !isFree) return { peersOf: () => [], close: () => {} };

  const made = new Map<string, KeyPair>();
  function keysOf(nodeId: string): KeyPair {
    const known = made.get(nodeId);
    if (known) return known;
    const keys = keyPairOf(identity.derive(`prober of ${nodeId}`));
    made.set(nodeId, keys);
    return keys;
  }

  const allowedIps = proberAddresses(pools);
  const prober = startProber({
    ...options,
    keyFor: (nodeId) => keysOf(nodeId).privateKey,
    echo: { from: allowedIps[0].replace("/32", ""), to: addressAt(pools.v4, GATEWAY_INDEX) },
  });
  telemetry.gauge(
    "securewave_nodes_silent",
    "Nodes connected to this process whose tunnels do not answer it",
    prober.silent,
  );
  telemetry.gauge(
    "securewave_node_handshake_seconds",
    "The slowest last handshake with a node connected to this process",
    () => prober.slowestHandshakeMs() / 1000,
  );
  return { peersOf: (nodeId) => [{ publicKey: keysOf(nodeId).publicKey, allowedIps }], close: prober.close };
}
