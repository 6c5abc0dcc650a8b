import type { Generated } from "kysely";

/** Every table as code sees it; a test holds this against the migrated schema. */
export interface Tables {
  accounts: AccountsTable;
  sessions: SessionsTable;
  one_time_tokens: OneTimeTokensTable;
  settings: SettingsTable;
  service_keys: ServiceKeysTable;
  nodes: NodesTable;
  address_pool: AddressPoolTable;
  free_addresses: FreeAddressesTable;
  devices: DevicesTable;
  peers: PeersTable;
}

export interface AccountsTable {
  id: string;
  email: string;
  password_hash: string;
  role: "customer" | "support" | "admin";
  state: "unverified" | "active" | "suspended";
  devices_active: Generated<number>;
  created_on: string;
}

export interface SessionsTable {
  id: string;
  account_id: string;
  refresh_hash: Buffer;
  previous_hash: Buffer | null;
  expires_on: string;
}

export interface OneTimeTokensTable {
  hash: Buffer;
  purpose: "setup" | "verify_email";
  account_id: string | null;
  expires_on: string;
}

export interface SettingsTable {
  name: string;
  value: unknown;
}

export interface ServiceKeysTable {
  name: string;
  public_key: string;
  sealed_private_key: Buffer;
}

export interface NodesTable {
  id: string;
  name: string;
  region: string;
  latitude: number | null;
  longitude: number | null;
  capacity: number;
  tags: Generated<string[]>;
  is_draining: Generated<boolean>;
  endpoint_host: string | null;
  endpoint_port: number | null;
  wireguard_public_key: string | null;
  credential: string | null;
  agent_version: string | null;
  join_token_hash: Buffer | null;
  join_token_expires_at: Date | null;
  joined_on: string | null;
  devices: Generated<number>;
  revision: Generated<number>;
  pruned_revision: Generated<number>;
}

export interface AddressPoolTable {
  id: Generated<boolean>;
  next_index: number;
  last_index: number;
}

export interface FreeAddressesTable {
  address_index: number;
  released: Generated<number>;
}

export interface DevicesTable {
  id: string;
  account_id: string;
  name: string;
  type: "phone" | "tablet" | "laptop" | "desktop" | "router" | "other";
  state: "active" | "revoked";
  public_key: string;
  key_origin: "customer" | "server";
  sealed_private_key: Buffer | null;
  preshared_key_master: number | null;
  address_index: number | null;
  node_id: string | null;
  created_on: string;
}

export interface PeersTable {
  node_id: string;
  public_key: string;
  device_id: string | null;
  revision: number;
  is_removed: Generated<boolean>;
}
