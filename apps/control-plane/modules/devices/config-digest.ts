import { createHash } from "node:crypto";
import { renderDeviceConfig } from "@securewave/contracts/device-config";
import { invariant } from "@securewave/foundation";
import { encodeKey, parsePrivateKey } from "@securewave/wireguard";
import type pg from "pg";
import { addressesAt } from "./addresses.ts";
import type { TunnelSettings } from "./tunnel.ts";

export interface ConfigDigest {
  readonly devicesCount: number;
  /** 48 bits of a hash over all the configs. */
  readonly digest: number;
}

export type ConfigSettings = Omit<TunnelSettings, "masterKeys">;

interface Row {
  public_key: string;
  address_index: number;
  preshared_key_master: number | null;
  preshared_key: string | null;
  wireguard_public_key: string;
  endpoint_host: string;
  endpoint_port: number;
}

/** Private keys are their owners' alone: every config is rendered with the same one, which is nobody's. */
const NOBODYS_KEY = parsePrivateKey(encodeKey(new Uint8Array(32).fill(0x40)));
const DIGEST_HEX_DIGITS = 12;

/**
 * Renders the config of every device, and tells all of them by one number: two databases that have the same one give
 * the same tunnels to everybody.
 */
export async function digestConfigs(
  client: Pick<pg.ClientBase, "query">,
  settings: ConfigSettings,
): Promise<ConfigDigest> {
  const { rows } = await client.query<Row>(`
    select devices.public_key, address_index::integer, preshared_key_master::integer,
      encode(preshared_key_sealed, 'hex') as preshared_key,
      wireguard_public_key, endpoint_host, endpoint_port::integer
    from devices join nodes on nodes.id = devices.node_id
    where devices.state = 'active' and address_index is not null
      and wireguard_public_key is not null and endpoint_host is not null and endpoint_port is not null
    order by devices.id`);
  const hash = createHash("sha256");
  for (const row of rows) hash.update(configOf(row, settings));
  const digest = Number.parseInt(hash.digest("hex").slice(0, DIGEST_HEX_DIGITS), 16);
  return { devicesCount: rows.length, digest };
}

/** Preshared keys are derived or sealed: by what, stands beside. */
function configOf(row: Row, { pools, dns, mtu, keepaliveSeconds }: ConfigSettings): string {
  invariant(NOBODYS_KEY, "it is clamped");
  const config = renderDeviceConfig(
    {
      addresses: addressesAt(pools, row.address_index),
      dns: [...dns],
      mtu,
      server_public_key: row.wireguard_public_key,
      preshared_key: null,
      preshared_key_agreed: row.preshared_key !== null,
      endpoint: { host: row.endpoint_host, port: row.endpoint_port },
      allowed_ips: ["0.0.0.0/0", "::/0"],
      persistent_keepalive_seconds: keepaliveSeconds,
    },
    NOBODYS_KEY,
  );
  return `${row.public_key}\n${row.preshared_key_master}\n${row.preshared_key}\n${config}\n`;
}
