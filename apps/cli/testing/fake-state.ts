import type { Account } from "@securewave/contracts";
import type { KeyRings } from "@securewave/contracts/keys";
import { createFakeAlerts, type FakeAlerts } from "@securewave/contracts/testing/fake-alerts";
import { createFakeBackups, type FakeBackups } from "@securewave/contracts/testing/fake-backups";
import { createFakeDatabase, type FakeDatabase } from "@securewave/contracts/testing/fake-database";
import { createFakeDevices, type FakeDevices } from "@securewave/contracts/testing/fake-devices";
import { createFakeDrills, type FakeDrills } from "@securewave/contracts/testing/fake-drills";
import { createFakeJobs, type FakeJobs } from "@securewave/contracts/testing/fake-jobs";
import { createFakeNodes, type FakeNodes } from "@securewave/contracts/testing/fake-nodes";
import { createFakePlans, type FakePlans } from "@securewave/contracts/testing/fake-plans";
import { createFakePrivacy, type FakePrivacy } from "@securewave/contracts/testing/fake-privacy";
import { createFakeStatus, type FakeStatus } from "@securewave/contracts/testing/fake-status";
import { createId } from "@securewave/foundation";
import { createFakeBreaches, type FakeBreaches } from "./fake-breaches.ts";
import { createFakeKeys } from "./fake-keys.ts";
import { createFakeSecurity, type FakeSecurity } from "./fake-security.ts";
import { createFakeZeroLog, type FakeZeroLog } from "./fake-zero-log.ts";

export interface FakeState {
  health: "healthy" | "degraded" | "unhealthy";
  settings: { service_name: string; registration: "open" | "closed"; devices_per_account_max: number };
  readonly accounts: Account[];
  readonly fleet: FakeNodes;
  readonly tunnels: FakeDevices;
  /** Pairs of tokens by the refresh token; `used` ones end the log-in when they come again. */
  readonly sessions: {
    id: string;
    accountId: string;
    access: string;
    refresh: string;
    isUsed: boolean;
    hasEnded: boolean;
  }[];
  readonly keys: KeyRings;
  readonly plans: FakePlans;
  readonly backups: FakeBackups;
  readonly zeroLog: FakeZeroLog;
  readonly database: FakeDatabase;
  readonly status: FakeStatus;
  readonly alerts: FakeAlerts;
  readonly jobs: FakeJobs;
  readonly breaches: FakeBreaches;
  readonly drills: FakeDrills;
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
    fleet: threeNodes(),
    tunnels: createFakeDevices(),
    sessions: [],
    keys: createFakeKeys(),
    plans,
    backups: createFakeBackups(),
    zeroLog: createFakeZeroLog(),
    database: createFakeDatabase(),
    status: createFakeStatus(),
    alerts: createFakeAlerts(),
    jobs: createFakeJobs(),
    breaches: createFakeBreaches(),
    drills: createFakeDrills(),
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

/** Two that serve, and one that does not. */
function threeNodes(): FakeNodes {
  const fleet = createFakeNodes();
  const seen = {
    devices: 12,

    revision: 40,
    applied_revision: 38,
    joined_on: "2026-11-19",
  };
  fleet.add("US-East-1", "United States", { ...seen, latitude: 40.7, longitude: -74 });
  fleet.add("US-West-1", "United States", { ...seen, latitude: 37.8, longitude: -122.4 });
  fleet.add("FRA-1", "Frankfurt", {
    ...seen,
    state: "offline",
    problem: "It has not been heard of for 3 minutes. Start its agent.",
    applied_revision: null,
    health: null,
  });
  return fleet;
}
