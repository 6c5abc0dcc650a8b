import type { Account, Device, Node, Tunnel } from "@securewave/contracts";
import type { KeyRings } from "@securewave/contracts/keys";
import { createFakePlans, type FakePlans } from "@securewave/contracts/testing/fake-plans";
import { createFakePrivacy, type FakePrivacy } from "@securewave/contracts/testing/fake-privacy";
import { createId, invariant } from "@securewave/foundation";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { createFakeKeys } from "./fake-keys.ts";
import { createFakeSecurity, type FakeSecurity } from "./fake-security.ts";
import { createFakeZeroLog, type FakeZeroLog } from "./fake-zero-log.ts";

export interface StoredDevice extends Device {
  readonly account_id: string;
  readonly privateKey: string | undefined;
}

export interface FakeState {
  health: "healthy" | "degraded" | "unhealthy";
  settings: { service_name: string; registration: "open" | "closed"; devices_per_account_max: number };
  readonly accounts: Account[];
  readonly nodes: Node[];
  readonly devices: StoredDevice[];
  /** Pairs of tokens by the refresh token; `used` ones end the log-in when they come again. */
  readonly sessions: {
    id: string;
    accountId: string;
    access: string;
    refresh: string;
    isUsed: boolean;
    hasEnded: boolean;
  }[];
  readonly serverKeys: Map<string, string>;
  readonly keys: KeyRings;
  readonly plans: FakePlans;
  readonly zeroLog: FakeZeroLog;
  readonly privacy: FakePrivacy;
  readonly security: FakeSecurity;
  /** Of an access token, or of an API key. */
  accountOfToken(token: string): Account | undefined;
  openSession(accountId: string): { access: string; refresh: string };
  /** Makes every access token invalid, as time does. */
  expireAccessTokens(): void;
}

export const PASSWORD = "correct horse battery";

export function createFakeState(): FakeState {
  let tokens = 0;
  const expired = new Set<string>();
  const admin = fakeAccount("admin@example.org", "admin");
  const plans = createFakePlans();
  plans.add("Basic", { quota_bytes: 200e9, connections_max: 3, throttle_kbit_per_second: 2000 });
  const state: FakeState = {
    health: "healthy",
    settings: { service_name: "Example VPN", registration: "open", devices_per_account_max: 5 },
    accounts: [
      admin,
      fakeAccount("ada@example.org", "customer"),
      fakeAccount("adam@example.org", "customer"),
    ],
    nodes: [fakeNode("US-East-1", "healthy"), fakeNode("US-West-1", "healthy"), fakeNode("FRA-1", "offline")],
    devices: [],
    sessions: [],
    serverKeys: new Map(),
    keys: createFakeKeys(),
    plans,
    zeroLog: createFakeZeroLog(),
    privacy: createFakePrivacy(),
    security: createFakeSecurity(),
    accountOfToken(token) {
      const session = state.sessions.find(({ access, hasEnded }) => access === token && !hasEnded);
      const key = state.security.apiKeys.find(({ text }) => text === token);
      const accountId = session?.accountId ?? key?.accountId;
      return expired.has(token) ? undefined : state.accounts.find(({ id }) => id === accountId);
    },
    openSession(accountId) {
      tokens++;
      const pair = { access: `access-${tokens}`, refresh: `refresh-${tokens}` };
      state.sessions.push({ id: createId("session"), accountId, ...pair, isUsed: false, hasEnded: false });
      return pair;
    },
    expireAccessTokens() {
      for (const { access } of state.sessions) expired.add(access);
    },
  };
  return state;
}

export function fakeAccount(email: string, role: Account["role"]): Account {
  return { id: createId("account"), email, role, state: "active", created_on: "2026-11-17" };
}

export function fakeNode(name: string, state: Node["state"]): Node {
  const isOffline = state === "offline";
  return {
    id: createId("node"),
    name,
    region: name.startsWith("US") ? "United States" : "Frankfurt",
    latitude: 50.1,
    longitude: 8.7,
    capacity: 10_000,
    tags: ["fast"],
    state,
    problem: isOffline ? "It has not been heard of for 3 minutes. Start its agent." : null,
    endpoint: { host: "vpn.example.org", port: 51820 },
    public_key: generateKeyPair().publicKey,
    devices: 12,
    connected: "1 to 9",
    revision: 40,
    quarantined: false,
    applied_revision: isOffline ? null : 38,
    agent_version: "0.1.0",
    joined_on: "2026-11-19",
  };
}

export function fakeDevice(accountId: string, name: string, server: Node | undefined): StoredDevice {
  const id = createId("device");
  return {
    id,
    account_id: accountId,
    privateKey: undefined,
    name,
    type: "phone",
    state: "active",
    public_key: generateKeyPair().publicKey,
    key_origin: "customer",
    server: server === undefined ? null : { id: server.id, name: server.name, region: server.region },
    created_on: "2026-11-19",
    key_version: 1,
    key_made_on: "2026-11-19",
    rotation_days: null,
    next_rotation_on: "2027-02-17",
    retiring: [],
    connection: {
      device_id: id,
      ready: true,
      connected: true,
      handshake_age_seconds: 42,
      received_bytes: 1_530_000,
      sent_bytes: 900,
    },
  };
}

export function fakeTunnel(state: FakeState, device: Device): Tunnel {
  const node = state.nodes.find(({ id }) => id === device.server?.id);
  invariant(node?.public_key, "the device has a server that has joined");
  return {
    addresses: ["10.8.0.2/32", "fd5e:c0de:8::2/128"],
    dns: ["9.9.9.9"],
    mtu: 1420,
    server_public_key: node.public_key,
    preshared_key: null,
    endpoint: { host: `${node.name.toLowerCase()}.example.org`, port: 51820 },
    allowed_ips: ["0.0.0.0/0", "::/0"],
    persistent_keepalive_seconds: 25,
  };
}
