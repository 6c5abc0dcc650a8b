import type { ServerResponse } from "node:http";
import type { Account, Connection, Device, DeviceWithTunnel, Node } from "@securewave/contracts";
import { accountErrors, deviceErrors, nodeErrors, serviceErrors, sessionErrors } from "@securewave/contracts";
import { matching, pageOf } from "@securewave/contracts/testing/fake-call";
import { createFakePlans, planHandlers } from "@securewave/contracts/testing/fake-plans";
import {
  createFakePrivacy,
  FAKE_POLICY_VERSION,
  privacyHandlers,
} from "@securewave/contracts/testing/fake-privacy";
import { createId } from "@securewave/foundation";
import { generateKeyPair, generatePresharedKey, parsePrivateKey } from "@securewave/wireguard";
import { configOf } from "../tunnel-file.ts";
import type { Call, Handler } from "./mock-call.ts";
import { createMockSecurity } from "./mock-security.ts";

export const CSRF_TOKEN = "mock-csrf-token";

type Mutable<Value> = { -readonly [Field in keyof Value]: Value[Field] };
type OwnedDevice = Mutable<DeviceWithTunnel> & { accountId: string; privateKey: string | undefined };
type MutableNode = Mutable<Node>;

export type MockState = ReturnType<typeof createMockState>;

/** What the mock remembers; tests and screenshots set it up as they need it. */
export function createMockState() {
  const accounts = new Map<string, Account & { password: string }>();
  const devices = new Map<string, OwnedDevice>();
  const nodes = new Map<string, MutableNode>();
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

  const plans = createFakePlans();
  const privacy = createFakePrivacy();
  const security = createMockSecurity({ accountOf });

  function addNode(name: string, region: string, more: Partial<MutableNode> = {}): MutableNode {
    const node: MutableNode = {
      id: createId("node"),
      name,
      region,
      latitude: 50.1,
      longitude: 8.7,
      capacity: 10_000,
      tags: [],
      state: "healthy",
      problem: null,
      endpoint: { host: `${name.toLowerCase()}.securewave.example`, port: 51820 },
      public_key: generateKeyPair().publicKey,
      devices: 0,
      connected: "0–9",
      revision: 1,
      applied_revision: 1,
      quarantined: false,
      agent_version: "0.1.0",
      joined_on: "2026-10-04",
      ...more,
    };
    nodes.set(node.id, node);
    return node;
  }

  function addDevice(
    accountId: string,
    name: string,
    node: Node,
    more: Partial<OwnedDevice> = {},
  ): OwnedDevice {
    const id = createId("device");
    const keys = generateKeyPair();
    const index = devices.size + 2;
    const device: OwnedDevice = {
      id,
      accountId,
      name,
      type: "phone",
      state: "active",
      public_key: keys.publicKey,
      key_origin: "customer",
      privateKey: undefined,
      server: { id: node.id, name: node.name, region: node.region },
      created_on: "2026-11-02",
      key_version: 1,
      key_made_on: "2026-11-02",
      rotation_days: null,
      next_rotation_on: "2027-01-31",
      retiring: [],
      connection: {
        device_id: id,
        ready: true,
        connected: false,
        handshake_age_seconds: null,
        received_bytes: 0,
        sent_bytes: 0,
      },
      tunnel: {
        addresses: [`10.8.0.${index}/32`, `fd5e:c0de::${index.toString(16)}/128`],
        dns: ["10.8.0.1", "fd5e:c0de::1"],
        mtu: 1420,
        server_public_key: node.public_key ?? keys.publicKey,
        preshared_key: generatePresharedKey(),
        endpoint: node.endpoint ?? { host: "vpn.example", port: 51820 },
        allowed_ips: ["0.0.0.0/0", "::/0"],
        persistent_keepalive_seconds: 25,
      },
      ...more,
    };
    devices.set(id, device);
    return device;
  }

  function setConnected(device: OwnedDevice, connection: Partial<Connection>): void {
    device.connection = { ...device.connection, connected: true, handshake_age_seconds: 12, ...connection };
  }

  const byName = <Item>(items: Iterable<Item>, query: Call["query"], nameOf: (item: Item) => string) =>
    matching([...items], query, nameOf).sort((one, other) => nameOf(one).localeCompare(nameOf(other)));

  function own(call: Call): OwnedDevice {
    const device = devices.get(text(call.params.id));
    if (!device || device.accountId !== call.account?.id) throw deviceErrors.notFound();
    return device;
  }

  function nodeAt(call: Call): MutableNode {
    const node = nodes.get(text(call.params.id));
    if (!node) throw nodeErrors.notFound();
    return node;
  }

  function view({ accountId: _, privateKey: __, tunnel: ___, ...device }: OwnedDevice): Device {
    return device;
  }

  function viewWhole({ accountId: _, privateKey: __, ...device }: OwnedDevice): DeviceWithTunnel {
    return device;
  }

  function serverOf(node: Node) {
    const available = node.state === "healthy" || node.state === "degraded";
    const share = node.devices / node.capacity;
    const load = share > 0.8 ? "high" : share > 0.4 ? "medium" : "low";
    const { id, name, region, latitude, longitude } = node;
    return { id, name, region, latitude, longitude, available, load };
  }

  function makeJoinToken() {
    const token = "swj_Zk3yVqVwQm0f2T7r1cXn8uLbA5sHdE9pRgYiOjKtWxM";
    return {
      join_token: token,
      command: `npx securewave-node up --control-plane https://vpn.example.org --token ${token} --endpoint YOUR_SERVER_NAME`,
      expires_in: 3600,
    };
  }

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
    ...planHandlers(plans),
    ...privacyHandlers(privacy, security.demandProof),
    "devices.list": (call) =>
      pageOf(
        byName(
          [...devices.values()].filter(({ accountId }) => accountId === call.account?.id),
          call.query,
          ({ name }) => name,
        ).map(view),
        call.query,
      ),
    "devices.create": (call) => {
      const name = text(call.body.name);
      const accountId = call.account?.id ?? "";
      if ([...devices.values()].some((device) => device.accountId === accountId && device.name === name)) {
        throw deviceErrors.nameInUse();
      }
      const node =
        nodes.get(text(call.body.server_id)) ?? [...nodes.values()].find(({ state }) => state === "healthy");
      if (!node) throw deviceErrors.noServer();
      const keys = call.body.public_key === undefined ? generateKeyPair() : undefined;
      return viewWhole(
        addDevice(accountId, name, node, {
          type: (call.body.type as Device["type"]) ?? "other",
          public_key: keys?.publicKey ?? text(call.body.public_key),
          key_origin: keys ? "server" : "customer",
          privateKey: keys?.privateKey,
        }),
      );
    },
    "devices.show": (call) => viewWhole(own(call)),
    "devices.change": (call) => view(Object.assign(own(call), call.body)),
    "devices.move": (call) => {
      const node = nodes.get(text(call.body.server_id));
      if (!node) throw deviceErrors.serverUnavailable();
      return viewWhole(
        Object.assign(own(call), { server: { id: node.id, name: node.name, region: node.region } }),
      );
    },
    "devices.revoke": (call) => view(Object.assign(own(call), { state: "revoked" })),
    "devices.remove": (call) => void devices.delete(own(call).id),
    "devices.config": (call) => {
      const device = own(call);
      const privateKey = parsePrivateKey(device.privateKey ?? "");
      if (!privateKey || !device.tunnel) throw deviceErrors.privateKeyNotHeld();
      return configOf(privateKey, device.tunnel);
    },
    "servers.list": (call) =>
      pageOf(
        byName(nodes.values(), call.query, ({ name }) => name)
          .filter(({ joined_on }) => joined_on !== null)
          .map(serverOf),
        call.query,
      ),
    "nodes.list": (call) =>
      pageOf(
        byName(nodes.values(), call.query, ({ name }) => name),
        call.query,
      ),
    "nodes.create": (call) => {
      const { name, region, ...more } = call.body;
      if ([...nodes.values()].some((node) => node.name === name)) throw nodeErrors.nameInUse();
      const node = addNode(text(name), text(region), {
        ...more,
        state: "joining",
        endpoint: null,
        public_key: null,
        applied_revision: null,
        agent_version: null,
        joined_on: null,
      });
      return { node, join: makeJoinToken() };
    },
    "nodes.show": nodeAt,
    "nodes.change": (call) => {
      const { draining, ...more } = call.body;
      const node = Object.assign(nodeAt(call), more);
      if (draining !== undefined) node.state = draining ? "draining" : "healthy";
      return node;
    },
    "nodes.trust": (call) =>
      Object.assign(nodeAt(call), { quarantined: false, state: "healthy", problem: null }),
    "nodes.renewJoinToken": (call) => nodeAt(call) && makeJoinToken(),
    "nodes.remove": (call) => void nodes.delete(nodeAt(call).id),
    "fleetDevices.totals": () => ({
      accounts: accounts.size,
      devices_active: 1_284,
      devices_revoked: 96,
      addresses_in_use: 1_284,
      addresses_total: 65_533,
      nodes: nodes.size,
      nodes_healthy: [...nodes.values()].filter(({ state }) => state === "healthy").length,
      connected: "250–499",
    }),
  };

  return {
    accounts,
    devices,
    nodes,
    settings,
    plans,
    privacy,
    handlers,
    addAccount,
    addNode,
    addDevice,
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
      return [...devices.values()]
        .filter((device) => device.accountId === accountId)
        .map(({ connection }) => connection);
    },
  };
}
