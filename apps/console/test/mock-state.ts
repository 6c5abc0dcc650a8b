import type { ServerResponse } from "node:http";
import type { Account, Connection } from "@securewave/contracts";
import { accountErrors, serviceErrors, sessionErrors } from "@securewave/contracts";
import { alertHandlers, createFakeAlerts } from "@securewave/contracts/testing/fake-alerts";
import { backupHandlers, createFakeBackups } from "@securewave/contracts/testing/fake-backups";
import { matching, pageOf } from "@securewave/contracts/testing/fake-call";
import { createFakeDatabase, databaseHandlers } from "@securewave/contracts/testing/fake-database";
import {
  createFakeDevices,
  deviceHandlers,
  type FakeDevice,
} from "@securewave/contracts/testing/fake-devices";
import { createFakeDrills, drillHandlers } from "@securewave/contracts/testing/fake-drills";
import { createFakeJobs, jobHandlers } from "@securewave/contracts/testing/fake-jobs";
import { createFakeNodes, nodeHandlers } from "@securewave/contracts/testing/fake-nodes";
import { createFakePlans, planHandlers } from "@securewave/contracts/testing/fake-plans";
import {
  createFakePrivacy,
  FAKE_POLICY_VERSION,
  privacyHandlers,
} from "@securewave/contracts/testing/fake-privacy";
import { chooseNode, serverHandlers } from "@securewave/contracts/testing/fake-servers";
import { createFakeStatus, statusHandlers } from "@securewave/contracts/testing/fake-status";
import { createId } from "@securewave/foundation";
import type { Call, Handler } from "./mock-call.ts";
import { createMockSecurity } from "./mock-security.ts";

export const CSRF_TOKEN = "mock-csrf-token";

export type MockState = ReturnType<typeof createMockState>;

/** What the mock remembers; tests and screenshots set it up as they need it. */
export function createMockState() {
  const accounts = new Map<string, Account & { password: string }>();
  const settings = {
    service_name: "SecureWave",
    registration: "open" as "open" | "closed",
    devices_per_account_max: 8,
  };
  let setupNeeded = false;

  function text(value: unknown): string {
    return typeof value === "string" ? value : "";
  }

  function addAccount(email: string, role: Account["role"] = "customer", state: Account["state"] = "active") {
    const account = {
      id: createId("account"),
      email,
      role,
      state,
      created_on: "2026-10-04",
      password: "correct horse",
    };
    accounts.set(account.id, account);
    return account;
  }

  function viewAccount({ password: _, ...account }: Account & { password: string }): Account {
    return account;
  }

  function openSession(account: Account & { password: string }, response: ServerResponse) {
    response.setHeader("set-cookie", `securewave_session=${account.id}; HttpOnly; SameSite=Strict; Path=/`);
    return { csrf_token: CSRF_TOKEN, account: viewAccount(account) };
  }

  function accountOf(cookie: string) {
    return accounts.get(/securewave_session=(\w+)/.exec(cookie)?.[1] ?? "");
  }

  const fleet = createFakeNodes();
  const jobs = createFakeJobs();
  const status = createFakeStatus();
  const database = createFakeDatabase();
  const tunnels = createFakeDevices();
  const plans = createFakePlans();
  const backups = createFakeBackups();
  const drills = createFakeDrills();
  const privacy = createFakePrivacy();
  const security = createMockSecurity({ accountOf });
  const alerts = createFakeAlerts();

  function setConnected(device: FakeDevice, connection: Partial<Connection>): void {
    device.connection = { ...device.connection, connected: true, handshake_age_seconds: 12, ...connection };
  }

  const byName = <Item>(items: Iterable<Item>, query: Call["query"], nameOf: (item: Item) => string) =>
    matching([...items], query, nameOf).sort((one, other) => nameOf(one).localeCompare(nameOf(other)));

  const handlers: Record<string, Handler> = {
    "service.live": () => ({ status: "alive" }),
    "service.info": () => ({
      name: settings.service_name,
      registration: settings.registration,
      setup_needed: setupNeeded,
      policy_version: FAKE_POLICY_VERSION,
      policy_url: "https://vpn.example.org/privacy",
    }),
    "service.health": () => ({
      status: "healthy",
      timestamp: new Date().toISOString(),
      checks: { database: "connected", redis: "in this process", vpn_servers: "4 of 6 healthy" },
    }),
    "service.setUp": (call, response) => {
      if (text(call.body.token) !== "setup-token") throw serviceErrors.setupTokenInvalid();
      setupNeeded = false;
      const account = addAccount(text(call.body.email), "admin");
      account.password = text(call.body.password);
      return openSession(account, response);
    },
    "service.readSettings": () => settings,
    "service.changeSettings": (call) => Object.assign(settings, call.body),
    "accounts.register": (call) => {
      if (/^(.)\1+$|password/.test(text(call.body.password))) throw accountErrors.weakPassword();
      return { status: "mail_sent" };
    },
    "accounts.requestVerification": () => ({ status: "mail_sent" }),
    "accounts.verifyEmail": (call) => {
      if (call.body.token !== "good-token") throw accountErrors.linkInvalid();
      return { email: "anna@example.org" };
    },
    "accounts.me": (call) =>
      viewAccount(accounts.get(call.account?.id ?? "") ?? addAccount("nobody@example.org")),
    "accounts.list": (call) =>
      pageOf(byName(accounts.values(), call.query, ({ email }) => email).map(viewAccount), call.query),
    "accounts.create": (call) => {
      const email = text(call.body.email);
      if ([...accounts.values()].some((account) => account.email === email)) throw accountErrors.emailInUse();
      return viewAccount(addAccount(email, (call.body.role as Account["role"]) ?? "customer"));
    },
    "accounts.change": (call) => {
      const account = accounts.get(text(call.params.id));
      if (!account) throw accountErrors.notFound();
      return viewAccount(Object.assign(account, call.body));
    },
    "session.open": (call, response) => {
      const account = [...accounts.values()].find(({ email }) => email === call.body.email);
      if (call.body.email === "locked@example.org") throw sessionErrors.locked({ retryAfterSeconds: 75 });
      if (!account || account.password !== call.body.password) throw sessionErrors.wrongCredentials();
      if (account.state === "unverified") throw sessionErrors.emailUnverified();
      security.demandCode(call);
      return openSession(account, response);
    },
    "session.show": (call, response) => {
      const account = accountOf(call.cookie);
      return { session: account ? openSession(account, response) : null };
    },
    "session.close": (_, response) => {
      response.setHeader("set-cookie", "securewave_session=; Max-Age=0; HttpOnly; SameSite=Strict; Path=/");
    },
    ...security.handlers,
    ...alertHandlers(alerts),
    ...statusHandlers(status),
    ...databaseHandlers(database),
    ...planHandlers(plans),
    ...backupHandlers(backups),
    ...drillHandlers(drills),
    ...privacyHandlers(privacy, security.demandProof),
    ...nodeHandlers(fleet),
    ...jobHandlers(jobs),
    ...serverHandlers(fleet, plans),
    ...deviceHandlers(tunnels, (call, present) => chooseNode(fleet, plans, call, present)),
    "fleetDevices.totals": () => ({
      accounts: accounts.size,
      devices_active: 1_284,
      devices_revoked: 96,
      addresses_in_use: 1_284,
      addresses_total: 65_533,
      nodes: fleet.nodes.length,
      nodes_healthy: fleet.nodes.filter(({ state }) => state === "healthy").length,
      connected: "250–499",
    }),
  };

  return {
    accounts,
    fleet,
    jobs,
    status,
    database,
    tunnels,
    settings,
    plans,
    backups,
    drills,
    privacy,
    handlers,
    alerts,
    addAccount,
    addNode: fleet.add,
    addDevice: tunnels.add,
    setConnected,
    /** While true, connections are cut. */
    isDown: false,
    delayMs: 0,
    /** While true, a proof of work is asked for. */
    isUnderAttack: false,
    needSetup() {
      setupNeeded = true;
    },
    accountOf(cookie: string): Account | undefined {
      const account = accountOf(cookie);
      return account && viewAccount(account);
    },
    security,
    connectionsOf(accountId: string | undefined): Connection[] {
      return tunnels.devices
        .filter((device) => device.accountId === accountId)
        .map(({ connection }) => connection);
    },
  };
}
