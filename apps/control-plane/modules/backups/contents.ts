import type { Database } from "@securewave/database";
import { type Peer, parsePresharedKey, parsePublicKey, renderPeers } from "@securewave/wireguard";
import { sql } from "kysely";
import type { KeptPeer } from "../devices/index.ts";
import type { NodeRow } from "../nodes/index.ts";
import type { Contents } from "./service.ts";

/** A setting as the operator gave it; of secrets, that there is one. */
export interface GivenSetting {
  readonly variable: string;
  readonly text: string | undefined;
}

/**
 * What the service is set up with, and nothing about people. Keys stand in it as they stand in the tables: sealed by
 * the master key, which is in no backup.
 */
const CONFIG_TABLES = [
  ["settings", ["name", "value"]],
  ["plans", undefined],
  [
    "nodes",
    [
      "id",
      "name",
      "region",
      "latitude",
      "longitude",
      "capacity",
      "tags",
      "is_draining",
      "endpoint_host",
      "endpoint_port",
      "wireguard_public_key",
      "credential",
      "agent_version",
      "joined_on",
      "removed_on",
    ],
  ],
  ["service_keys", ["name", "public_key", "sealed_private_key"]],
  ["signing_keys", ["kid", "algorithm", "sealed_key", "created_on", "retires_on"]],
  ["encryption_keys", ["number", "sealed_key", "state", "created_on"]],
] as const;

export async function configContents(
  { db }: Pick<Database, "db">,
  given: readonly GivenSetting[],
): Promise<Contents> {
  const tables: Record<string, unknown[]> = {};
  for (const [table, columns] of CONFIG_TABLES) {
    const chosen = columns === undefined ? sql`*` : sql.join(columns.map((column) => sql.ref(column)));
    const { rows } = await sql<object>`select ${chosen} from ${sql.table(table)} order by 1`.execute(db);
    tables[table] = rows.map(withBase64);
  }
  const text = JSON.stringify({ format: 1, settings_of_the_program: given, tables }, undefined, 2);
  const rows = Object.entries(tables).map(([table, { length }]) => [table, length] as const);
  return { texts: [{ name: "config.json", text: `${text}\n` }], counts: Object.fromEntries(rows) };
}

function withBase64(row: object): object {
  const entries = Object.entries(row).map(([name, value]) => [
    name,
    Buffer.isBuffer(value) ? value.toString("base64") : value,
  ]);
  return Object.fromEntries(entries);
}

export interface VpnSource {
  readonly nodes: () => Promise<ReadonlyMap<string, NodeRow>>;
  readonly peersOf: (nodeId: string) => Promise<readonly KeptPeer[]>;
  /** Of a node, in tunnels, with the lengths of their prefixes. */
  readonly addresses: readonly string[];
}

/** What each node should have, as WireGuard reads it: a machine without the control plane can serve from it. */
export async function vpnContents({ nodes, peersOf, addresses }: VpnSource): Promise<Contents> {
  const texts = [];
  let peersCount = 0;
  for (const node of (await nodes()).values()) {
    if (node.joined_on === null) continue;
    const peers = await peersOf(node.id);
    peersCount += peers.length;
    texts.push({ name: `${node.id}.conf`, text: nodeText(node, peers, addresses) });
  }
  return { texts, counts: { nodes: texts.length, peers: peersCount } };
}

/** By their keys: the order of their changes would tell who changed something before whom. */
function nodeText(node: NodeRow, kept: readonly KeptPeer[], addresses: readonly string[]): string {
  const sorted = kept.toSorted((one, other) => (one.spec.public_key < other.spec.public_key ? -1 : 1));
  const open = sorted.filter(({ isAgreed }) => !isAgreed).flatMap(({ spec }) => peerOf(spec) ?? []);
  const agreed = sorted.filter(({ isAgreed }) => isAgreed).flatMap(({ spec }) => peerOf(spec) ?? []);
  const port = node.endpoint_port ?? 51820;
  return [
    `# Node ${node.name} (${node.id})`,
    `# Public key ${node.wireguard_public_key}; the private key is on the node alone, in its state folder.`,
    `# Endpoint ${node.endpoint_host}:${node.endpoint_port}`,
    `# Addresses ${addresses.join(", ")}`,
    renderPeers(open, { listenPort: port }),
    ...(agreed.length === 0
      ? []
      : [
          "# Devices that agreed a preshared key of their own, which is in no backup: they work again with the control plane.",
          ...renderPeers(agreed)
            .trimEnd()
            .split("\n")
            .map((line) => `# ${line}`),
        ]),
    "",
  ].join("\n");
}

function peerOf(spec: KeptPeer["spec"]): Peer | undefined {
  const publicKey = parsePublicKey(spec.public_key);
  const presharedKey = spec.preshared_key === null ? undefined : parsePresharedKey(spec.preshared_key);
  if (publicKey === undefined) return undefined;
  return { publicKey, allowedIps: spec.allowed_ips, ...(presharedKey && { presharedKey }) };
}
