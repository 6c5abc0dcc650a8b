import {
  type Access,
  api,
  listRoutes,
  type Role,
  type RouteSpec,
  SCOPES,
  type Scope,
} from "@securewave/contracts";
import { createId, type IdKind } from "@securewave/foundation";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectNode, openTestApp, PASSWORD, type Person, type RawAnswer } from "../testing.ts";

type Caller = Role | "visitor";

const CALLERS: readonly Caller[] = ["visitor", "customer", "support", "admin"];
const ADMITTED: Record<Access, readonly Caller[]> = {
  anyone: CALLERS,
  account: ["customer", "support", "admin"],
  staff: ["support", "admin"],
  admin: ["admin"],
  node: [],
};

/** Ends the log-in that it is called by. */
const ENDING = /logOut|session\.close/;
const service = await openTestApp();
afterAll(() => service.close());
const people = new Map<Caller, Person>();
const routes = listRoutes(api);

beforeAll(async () => {
  for (const role of ["customer", "support", "admin"] as const) people.set(role, await service.person(role));
});

const ID_KINDS: Readonly<Record<string, IdKind>> = {
  accounts: "account",
  nodes: "node",
  servers: "node",
  devices: "device",
  sessions: "session",
  passkeys: "passkey",
  "api-keys": "apiKey",
  blocks: "block",
  plans: "plan",
  breaches: "breach",
  drills: "drill",
  incidents: "incident",
  "incident-updates": "incidentUpdate",
  "maintenance-windows": "maintenance",
};

/** An id of the kind that stands in a path behind the name of the things. */
function absentIdFor(path: string): string {
  const [, things = ""] = /([a-z-]+)\/\{id\}/.exec(path) ?? [];
  return createId(ID_KINDS[things] ?? "device");
}

/** Asks with parameters of things that are not there and a body that no schema takes, so that nothing is done. */
function ask(route: RouteSpec, token?: string, method: string = route.method): Promise<RawAnswer> {
  const path = route.path.replace("{id}", absentIdFor(route.path)).replace("{name}", "Nothing");
  const body = route.body ? { body: { surplus: true } } : {};
  return service.send(path, { method, ...body, ...(token === undefined ? {} : { token }) });
}

describe.each(routes.filter(({ name }) => !ENDING.test(name)))("$name", ({ route }) => {
  test.each(CALLERS)(`is for ${route.access}: %s`, async (caller) => {
    const isAdmitted = ADMITTED[route.access].includes(caller);
    // An event stream goes on for as long as one listens.
    const isStream = isAdmitted && route.success.contentType === "text/event-stream";
    const answer = await ask(route, people.get(caller)?.token, isStream ? "HEAD" : route.method);
    if (!isAdmitted) {
      const code = caller === "visitor" ? "request.not_logged_in" : "request.not_allowed";
      expect(answer).toMatchObject({ status: caller === "visitor" ? 401 : 403, json: { code } });
      expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
      return;
    }
    expect([401, 403]).not.toContain(answer.status);
    expect(answer.status).toBeLessThan(500);
    // A body of unknown fields shows that the caller got as far as the operation itself.
    if (route.body) expect(answer.json).toMatchObject({ code: "request.invalid" });
  });
});

describe("an API key does what its scopes name and its account may, and nothing else", () => {
  /** Each scope alone, all but one, and all: what a key may do with two it may do with one of them. */
  const SCOPE_SETS: readonly (readonly Scope[])[] = [
    ...SCOPES.map((scope) => [scope]),
    ...SCOPES.map((scope) => SCOPES.filter((each) => each !== scope)),
    SCOPES,
  ];

  async function keyFor(role: Role, scopes: readonly Scope[]): Promise<string> {
    const { client } = await service.person(role);
    const { text } = await client.apiKeys.create({
      body: {
        name: "Key",
        scopes: [...scopes],
        expires_in_days: 1,
        requests_per_minute: 10_000,
        password: PASSWORD,
      },
    });
    return text;
  }

  async function checkRoutes(role: Role, scopes: readonly Scope[]): Promise<void> {
    const key = await keyFor(role, scopes);
    for (const { name, route } of routes) {
      const isForRole = ADMITTED[route.access].includes(role);
      const isInScope = route.scope !== undefined && scopes.includes(route.scope);
      const isStream = route.success.contentType === "text/event-stream" && isInScope;
      const answer = await ask(route, key, isStream ? "HEAD" : route.method);
      const at = `${name} by ${role} with ${scopes}`;
      if (route.access === "anyone") expect([401, 403], at).not.toContain(answer.status);
      else if (!isForRole)
        expect(answer, at).toMatchObject({ status: 403, json: { code: "request.not_allowed" } });
      else if (!isInScope)
        expect(answer, at).toMatchObject({ status: 403, json: { code: "sentinel.scope_missing" } });
      else expect([401, 403], at).not.toContain(answer.status);
    }
  }

  test.each(["customer", "support", "admin"] as const)(
    "%s, with every set of scopes",
    async (role) => {
      for (const scopes of SCOPE_SETS) await checkRoutes(role, scopes);
    },
    120_000,
  );
});

test("logging out is for those who are logged in", async () => {
  for (const { route } of routes.filter(({ name }) => ENDING.test(name))) {
    expect(route.access).toBe("account");
    expect((await ask(route)).json.code).toBe("request.not_logged_in");
    for (const role of ["customer", "support", "admin"] as const) {
      expect((await ask(route, (await service.person(role)).token)).status).toBe(204);
    }
  }
});

test("every route says who may call it, and visitors may call no more than they need", () => {
  const open = routes.filter(({ route }) => route.access === "anyone").map(({ name }) => name);
  expect(open.sort()).toEqual([
    "accounts.register",
    "accounts.requestVerification",
    "accounts.verifyEmail",
    "challenges.issue",
    "nodes.join",
    "passwords.checkReset",
    "passwords.requestReset",
    "passwords.reset",
    "service.health",
    "service.healthShort",
    "service.info",
    "service.live",
    "service.ready",
    "service.setUp",
    "session.open",
    "session.openWithPasskey",
    "session.passkeyOptions",
    "session.show",
    "sessions.logIn",
    "sessions.refresh",
    "status.show",
    "zeroLog.latest",
  ]);
  expect(routes.filter(({ route }) => !(route.access in ADMITTED))).toEqual([]);
});

test("somebody else's device answers on every route as one that does not exist, also to admins, and stays as it is", async () => {
  await connectNode(service);
  const [owner, stranger, admin] = [await service.person(), await service.person(), await service.admin()];
  const device = await owner.client.devices.create({ body: { name: "Phone" } });
  const before = await service.database.db.selectFrom("devices").selectAll().execute();
  const own = routes.filter(({ name, route }) => name.startsWith("devices.") && route.path.includes("{id}"));
  expect(own.length).toBeGreaterThan(6);
  const bodies: Record<string, object> = {
    "devices.change": { name: "Mine" },
    "devices.move": { server_id: device.server?.id },
    "devices.rotate": {},
  };
  for (const { name, route } of own) {
    for (const { token } of [stranger, admin]) {
      const answers = [device.id, createId("device")].map(async (id) => {
        const { status, text, headers } = await service.send(route.path.replace("{id}", id), {
          method: route.method,
          token,
          ...(bodies[name] ? { body: bodies[name] } : {}),
        });
        return { status, text, type: headers.get("content-type") };
      });
      const [foreign, absent] = await Promise.all(answers);
      expect(foreign, name).toEqual(absent);
      expect(foreign?.text, name).toContain("devices.not_found");
    }
  }
  expect(await service.database.db.selectFrom("devices").selectAll().execute()).toEqual(before);
  expect((await stranger.client.devices.list()).items).toEqual([]);
  const states = stranger.client.devices.watch()[Symbol.asyncIterator]();
  expect((await states.next()).value).toEqual([]);
  await states.return?.(undefined);
});

test("somebody else's device name, key and limit are of no consequence to oneself", async () => {
  const [one, two] = [await service.person(), await service.person()];
  const publicKey = generateKeyPair().publicKey;
  await one.client.devices.create({ body: { name: "Same", public_key: publicKey } });
  const ensured = await two.client.devices.ensure({ params: { name: "Same" }, body: {} });
  expect(ensured.public_key).not.toBe(publicKey);
  expect((await two.client.devices.list()).items.map(({ id }) => id)).toEqual([ensured.id]);
});
