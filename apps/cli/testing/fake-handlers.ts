import { type Account, accountErrors, type Role, sessionErrors } from "@securewave/contracts";
import { alertHandlers } from "@securewave/contracts/testing/fake-alerts";
import { backupHandlers } from "@securewave/contracts/testing/fake-backups";
import { matching, pageOf } from "@securewave/contracts/testing/fake-call";
import { databaseHandlers } from "@securewave/contracts/testing/fake-database";
import { deviceHandlers } from "@securewave/contracts/testing/fake-devices";
import { drillHandlers } from "@securewave/contracts/testing/fake-drills";
import { jobHandlers } from "@securewave/contracts/testing/fake-jobs";
import { nodeHandlers } from "@securewave/contracts/testing/fake-nodes";
import { planHandlers } from "@securewave/contracts/testing/fake-plans";
import { privacyHandlers } from "@securewave/contracts/testing/fake-privacy";
import { chooseNode, serverHandlers } from "@securewave/contracts/testing/fake-servers";
import { statusHandlers } from "@securewave/contracts/testing/fake-status";
import { invariant, type Refusal } from "@securewave/foundation";
import { auditHandlers } from "./fake-audit.ts";
import { breachHandlers } from "./fake-breaches.ts";
import type { Handlers, Input } from "./fake-input.ts";
import { keyHandlers } from "./fake-keys.ts";
import { demandCode, demandProof, securityHandlers } from "./fake-security-handlers.ts";
import { type FakeState, fakeAccount, PASSWORD } from "./fake-state.ts";
import { zeroLogHandlers } from "./fake-zero-log.ts";

export function createHandlers(state: FakeState): Handlers {
  return {
    ...serviceHandlers(state),
    ...accountHandlers(state),
    ...nodeHandlers(state.fleet),
    ...serverHandlers(state.fleet, state.plans),
    ...deviceHandlers(state.tunnels, (call, present) => chooseNode(state.fleet, state.plans, call, present)),
    ...keyHandlers(state),
    ...planHandlers(state.plans),
    ...backupHandlers(state.backups),
    ...privacyHandlers(state.privacy, (input: Input) => demandProof(input, state)),
    ...securityHandlers(state),
    ...auditHandlers(state),
    ...zeroLogHandlers(state.zeroLog),
    ...databaseHandlers(state.database),
    ...statusHandlers(state.status),
    ...alertHandlers(state.alerts),
    ...jobHandlers(state.jobs),
    ...drillHandlers(state.drills),
    ...breachHandlers(state.breaches, (input) => demandProof(input, state)),
  };
}

function serviceHandlers(state: FakeState): Handlers {
  return {
    "service.health": () => ({
      status: state.health,
      timestamp: "2026-11-20T12:00:00Z",
      checks: {
        database: state.health === "unhealthy" ? "does not answer" : "connected",
        redis: "not used",
        vpn_servers: "2 of 3",
      },
    }),
    "service.info": () => ({
      name: state.settings.service_name,
      registration: "open",
      setup_needed: false,
      policy_version: "1",
      policy_url: "/privacy-policy",
    }),
    "service.live": () => ({ status: "alive" }),
    "service.readSettings": () => state.settings,
    "service.changeSettings": ({ body }) => Object.assign(state.settings, body),
    "fleetDevices.totals": () => ({
      accounts: state.accounts.length,
      devices_active: state.tunnels.devices.length,
      devices_revoked: 1,
      addresses_in_use: 12,
      addresses_total: 65_000,
      nodes: state.fleet.nodes.length,
      nodes_healthy: 2,
      connected: "10 to 19",
    }),
  };
}

function accountHandlers(state: FakeState): Handlers {
  const sessionOf = (account: Account) => {
    const { access, refresh } = state.openSession(account.id);
    return { access_token: access, token_type: "Bearer", expires_in: 900, refresh_token: refresh, account };
  };
  const own = (token: string) => {
    const account = state.accountOfToken(token);
    invariant(account, "the route needs a log-in");
    return account;
  };
  const end = ({ token }: Input) => {
    const accountId = own(token).id;
    for (const session of state.sessions) if (session.accountId === accountId) session.hasEnded = true;
    return null;
  };
  return {
    "sessions.logIn": ({ body }) => {
      const account = state.accounts.find(({ email }) => email === body.email);
      if (account === undefined || body.password !== PASSWORD) throw sessionErrors.wrongCredentials();
      demandCode(account.id, body.code, state);
      return sessionOf(account);
    },
    "sessions.refresh": ({ body }) => {
      const session = state.sessions.find(({ refresh }) => refresh === body.refresh_token);
      if (session === undefined || session.hasEnded) throw sessionErrors.refreshInvalid();
      if (session.isUsed) {
        for (const each of state.sessions) each.hasEnded = true;
        throw sessionErrors.refreshReused();
      }
      session.isUsed = true;
      return sessionOf(find(state.accounts, session.accountId, accountErrors.notFound));
    },
    "sessions.logOut": end,
    "sessions.logOutEverywhere": end,
    "accounts.me": ({ token }) => own(token),
    "accounts.list": ({ query }) => page(state.accounts, query, "email"),
    "accounts.show": ({ params }) => find(state.accounts, params.id, accountErrors.notFound),
    "accounts.create": ({ body }) => {
      if (state.accounts.some(({ email }) => email === body.email)) throw accountErrors.emailInUse();
      const account = fakeAccount(String(body.email), (body.role as Role | undefined) ?? "customer");
      state.accounts.push(account);
      return account;
    },
    "accounts.change": ({ params, body }) => change(state.accounts, params.id, body, accountErrors.notFound),
  };
}

function find<Item extends { readonly id: string }>(
  items: readonly Item[],
  id: unknown,
  notFound: Refusal,
): Item {
  const item = items.find((candidate) => candidate.id === id);
  if (item === undefined) throw notFound();
  return item;
}

function change<Item extends { readonly id: string }>(
  items: readonly Item[],
  id: unknown,
  fields: object,
  notFound: Refusal,
): Item {
  return Object.assign(find(items, id, notFound), fields);
}

function page<Item>(items: readonly Item[], query: Input["query"], searchIn: keyof Item) {
  return pageOf(
    matching(items, query, (item) => String(item[searchIn])),
    query,
  );
}
