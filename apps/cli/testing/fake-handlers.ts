import {
  type Account,
  accountErrors,
  type DeviceWithTunnel,
  deviceErrors,
  nodeErrors,
  type Role,
  sessionErrors,
} from "@securewave/contracts";
import { matching, pageOf } from "@securewave/contracts/testing/fake-call";
import { planHandlers } from "@securewave/contracts/testing/fake-plans";
import { privacyHandlers } from "@securewave/contracts/testing/fake-privacy";
import { invariant, type Refusal } from "@securewave/foundation";
import { parsePrivateKey } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { renderTunnel } from "../tunnel-file.ts";
import { auditHandlers } from "./fake-audit.ts";
import type { Handlers, Input } from "./fake-input.ts";
import { keyHandlers } from "./fake-keys.ts";
import { demandCode, demandProof, securityHandlers } from "./fake-security-handlers.ts";
import {
  type FakeState,
  fakeAccount,
  fakeDevice,
  fakeNode,
  fakeTunnel,
  PASSWORD,
  type StoredDevice,
} from "./fake-state.ts";
import { zeroLogHandlers } from "./fake-zero-log.ts";

const JOIN = { join_token: "swj_example", command: "securewave-node join swj_example", expires_in: 86_400 };

export function createHandlers(state: FakeState): Handlers {
  return {
    ...serviceHandlers(state),
    ...accountHandlers(state),
    ...nodeHandlers(state),
    ...deviceHandlers(state),
    ...keyHandlers(state),
    ...planHandlers(state.plans),
    ...privacyHandlers(state.privacy, (input: Input) => demandProof(input, state)),
    ...securityHandlers(state),
    ...auditHandlers(state),
    ...zeroLogHandlers(state.zeroLog),
    "fleetDevices.list": ({ query }) => {
      const found = state.devices.filter(
        ({ account_id }) => query.account_id === undefined || account_id === query.account_id,
      );
      return page(
        found.map(({ connection: _, privateKey: __, ...device }) => device),
        query,
        "name",
      );
    },
    "fleetDevices.revoke": ({ params }) => {
      change(state.devices, params.id, { state: "revoked" }, deviceErrors.notFound);
      return null;
    },
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
      devices_active: state.devices.length,
      devices_revoked: 1,
      addresses_in_use: 12,
      addresses_total: 65_000,
      nodes: state.nodes.length,
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

function nodeHandlers(state: FakeState): Handlers {
  return {
    "nodes.list": ({ query }) => page(state.nodes, query, "name"),
    "nodes.show": ({ params }) => find(state.nodes, params.id, nodeErrors.notFound),
    "nodes.create": ({ body }) => {
      if (state.nodes.some(({ name }) => name === body.name)) throw nodeErrors.nameInUse();
      const node = { ...fakeNode(String(body.name), "joining"), ...body };
      state.nodes.push(node);
      return { node, join: JOIN };
    },
    "nodes.change": ({ params, body: { draining, ...fields } }) => {
      const stateChange = draining === undefined ? {} : { state: draining ? "draining" : "healthy" };
      return change(state.nodes, params.id, { ...fields, ...stateChange }, nodeErrors.notFound);
    },
    "nodes.renewJoinToken": () => JOIN,
    "nodes.remove": ({ params }) => {
      const node = find(state.nodes, params.id, nodeErrors.notFound);
      if (node.state !== "offline") throw nodeErrors.notEmpty();
      state.nodes.splice(state.nodes.indexOf(node), 1);
      return null;
    },
    "servers.list": ({ query }) => {
      const servers = state.nodes.map(({ id, name, region, latitude, longitude }) => {
        return { id, name, region, latitude, longitude, available: true, load: "low" };
      });
      return page(servers, query, "name");
    },
  };
}

function deviceHandlers(state: FakeState): Handlers {
  const owned = ({ token, params }: Input): StoredDevice => {
    const account = state.accountOfToken(token);
    const mine = state.devices.filter(({ account_id }) => account_id === account?.id);
    return find(mine, params.id, deviceErrors.notFound);
  };
  const view = ({ account_id: _, privateKey: __, ...device }: StoredDevice) => device;
  const withTunnel = (device: StoredDevice): DeviceWithTunnel => ({
    ...view(device),
    tunnel: device.server === null ? null : fakeTunnel(state, device),
  });
  return {
    "devices.list": ({ token, query }) => {
      const account = state.accountOfToken(token);
      return page(
        state.devices.filter(({ account_id }) => account_id === account?.id).map(view),
        query,
        "name",
      );
    },
    "devices.create": ({ token, body }) => {
      const account = state.accountOfToken(token);
      invariant(account, "the route needs a log-in");
      if (state.devices.some(({ name }) => name === body.name)) throw deviceErrors.nameInUse();
      const server = state.nodes.find(({ id }) => id === body.server_id) ?? state.nodes[0];
      const keys = generateKeyPair();
      const device: StoredDevice = {
        ...fakeDevice(account.id, String(body.name), server),
        public_key: String(body.public_key ?? keys.publicKey),
        key_origin: body.public_key === undefined ? "server" : "customer",
        privateKey: body.public_key === undefined ? keys.privateKey : undefined,
      };
      state.devices.push(device);
      return withTunnel(device);
    },
    "devices.show": (input) => withTunnel(owned(input)),
    "devices.change": (input) => view(Object.assign(owned(input), input.body)),
    "devices.move": (input) => {
      const device = owned(input);
      const { id, name, region } = find(state.nodes, input.body.server_id, nodeErrors.notFound);
      return withTunnel(Object.assign(device, { server: { id, name, region } }));
    },
    "devices.revoke": (input) => view(Object.assign(owned(input), { state: "revoked" })),
    "devices.remove": (input) => {
      state.devices.splice(state.devices.indexOf(owned(input)), 1);
      return null;
    },
    "devices.config": (input) => {
      const device = owned(input);
      const key = parsePrivateKey(device.privateKey ?? "");
      if (key === undefined) throw deviceErrors.privateKeyNotHeld();
      return renderTunnel(fakeTunnel(state, device), key);
    },
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
