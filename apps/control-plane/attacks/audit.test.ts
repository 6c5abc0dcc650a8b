import type { IncomingMessage, ServerResponse } from "node:http";
import { AUDIT_KINDS, type AuditKind, api, listRoutes } from "@securewave/contracts";
import { createId } from "@securewave/foundation";
import { afterAll, describe, expect, test } from "vitest";
import { codeOf, joinNode, openTestApp, PASSWORD } from "../testing.ts";
import { accountActs, careful, NEW_PASSWORD } from "./testing/account-acts.ts";
import type { Acts } from "./testing/act.ts";
import { fleetActs } from "./testing/fleet-acts.ts";
import { operationActs } from "./testing/operation-acts.ts";
import { privacyActs } from "./testing/privacy-acts.ts";

/** Behind a proxy, so that one machine can speak for many addresses. */
const service = await openTestApp({
  jobs: true,
  settings: { TRUSTED_PROXIES: "127.0.0.1", API_TRUSTED_HOSTS: "127.0.0.1", AUTO_BLOCK_FAILED_LOGINS: "10" },
});
afterAll(() => service.close());
const visitor = service.client();
const password = PASSWORD;

/** Routes of the API that answered well, by name: `devices.create`. */
const answered = new Set<string>();
const routes = listRoutes(api).map(({ name, route }) => ({
  name,
  route,
  pattern: new RegExp(`^${route.method} ${route.path.replace(/\{\w+\}/g, "[^/]+")}$`),
}));
service.app.server.server.prependListener("request", (request: IncomingMessage, reply: ServerResponse) => {
  const called = `${request.method} ${request.url?.split("?", 1)[0]}`;
  const found = routes.find(({ pattern }) => pattern.test(called));
  reply.once("finish", () => found && reply.statusCode < 400 && answered.add(found.name));
});

interface Written {
  readonly kind: string;
  readonly actor: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly time: string;
  readonly origin?: string;
}

let read = 0;
/** The entries that were written since it was asked last. */
async function newEntries(): Promise<Written[]> {
  await service.app.audit.sign();
  const rows = await service.database.db
    .selectFrom("audit_entries")
    .select("body")
    .where("index", ">=", read)
    .orderBy("index")
    .execute();
  read += rows.length;
  return rows.map(({ body }) => body as Written);
}

/** What each route that changes something leaves in the trail. */
const WRITTEN: Acts = {
  ...accountActs(service),
  ...privacyActs(service),
  ...fleetActs(service),
  ...operationActs(service),
};

const NOTHING_YET = "changes nothing until what it sends or shows comes back, and that is written";
const OWN_LOG_IN = "ends or prolongs what its caller holds himself; it would be a record of use";
const OWN_DEVICE = "a customer's own device: no right changes hands, and it would be a record of use";

const IN_ANOTHER_PROCESS = "needs the program that carries it out: modules/backups shows that it is written";

/** Why a route that is not only read from leaves nothing in the trail. */
const SILENT: Readonly<Record<string, string>> = {
  "accounts.register": NOTHING_YET,
  "accounts.requestVerification": NOTHING_YET,
  "accounts.verifyEmail": "the day that a customer came stands with his account",
  "passwords.requestReset": NOTHING_YET,
  "passwords.checkReset": NOTHING_YET,
  "session.close": OWN_LOG_IN,
  "session.passkeyOptions": NOTHING_YET,
  "sessions.refresh": `${OWN_LOG_IN}; a token that was used before is written`,
  "sessions.logOut": OWN_LOG_IN,
  "secondFactor.begin": NOTHING_YET,
  "passkeys.begin": NOTHING_YET,
  "passkeys.rename": "what its owner calls it opens nothing",
  "backups.start": IN_ANOTHER_PROCESS,
  "backups.verify": IN_ANOTHER_PROCESS,
  "backups.cleanUp": IN_ANOTHER_PROCESS,
  "zeroLog.start": "a search for traces changes nothing, and its report is public",
  "privacy.agree": "what was agreed to, and when, stands with the account",
  "privacy.ask": "the request itself is kept, until and after it is answered",
  "devices.create": OWN_DEVICE,
  "devices.ensure": OWN_DEVICE,
  "devices.change": OWN_DEVICE,
  "devices.move": OWN_DEVICE,
  "devices.rotate": OWN_DEVICE,
  "devices.revoke": OWN_DEVICE,
  "devices.remove": OWN_DEVICE,
};

/** Kinds that no single route writes, and what shows that they are written. */
const OTHERWISE: Partial<Record<AuditKind, string>> = {
  login_refused: "below",
  recovery_code_used: "below",
  refresh_reused: "below",
  audit_archived: "modules/audit",
  account_erased: "modules/privacy",
  node_quarantined: "modules/nodes",
  node_cloned: "modules/nodes",
  backup_ordered: "modules/backups",
  restored_from_backup: "e2e/backups",
  node_credential_renewed: "modules/breaches",
  node_credential_ended: "modules/breaches",
};

describe("every act that matters to security is written", () => {
  test.each(Object.entries(WRITTEN))("%s", async (name, { writes, prepare, after }) => {
    const perform = await prepare();
    await newEntries();
    answered.delete(name);
    await perform();
    expect((await newEntries()).map(({ kind }) => kind)).toEqual(writes);
    expect(answered).toContain(name);
    await after?.();
  });

  test("and no route that changes something is forgotten", () => {
    const isTold = (name: string) => ["audit.export", "usage.ofAccount"].includes(name);
    const changing = routes.filter(({ name, route }) => route.method !== "GET" || isTold(name));
    const known = [...Object.keys(WRITTEN), ...Object.keys(SILENT)];
    expect(known.sort()).toEqual(changing.map(({ name }) => name).sort());
  });

  test("and there is no kind of entry that nothing writes", () => {
    const written = new Set([...Object.values(WRITTEN).flatMap(({ writes }) => writes)]);
    expect([...written, ...Object.keys(OTHERWISE)].sort()).toEqual([...AUDIT_KINDS].sort());
  });
});

let addresses = 0;
/** From an address of its own: no origin is blocked for it. */
const send = (path: string, body: object) =>
  service.send(path, { body, headers: { "x-forwarded-for": `203.0.113.${++addresses}` } });

describe("what nobody could do is written too", () => {
  test.each<[string, (one: Awaited<ReturnType<typeof careful>>) => Promise<string>, object[]]>([
    ["a wrong password", ({ email }) => refused({ email, password: "not it" }), [{ method: "password" }]],
    ["a wrong code", ({ email }) => refused({ email, password, code: "000000" }), [{ method: "totp" }]],
    [
      "a wrong password before a change of it",
      async ({ client }) =>
        codeOf(client.passwords.change({ body: { current_password: "not it", password: NEW_PASSWORD } })),
      [{ method: "password" }],
    ],
  ])("%s", async (_, attempt, details) => {
    const one = await careful(service);
    await newEntries();
    expect(await attempt(one)).toMatch(/wrong/);
    const written = await newEntries();
    expect(written.map(({ kind }) => kind)).toEqual(["login_refused"]);
    expect(written).toMatchObject(
      details.map((each) => ({ details: each, actor: "unknown", subject: one.id })),
    );
    expect(written[0]?.origin).toMatch(/^[\w-]{16}$/);
  });

  test("a passkey that is none, and a mail address that nobody has", async () => {
    await newEntries();
    await send("/api/session/passkey", { response: { id: "AAAA" } });
    await refused({ email: "nobody@example.org", password });
    const expected = ["passkey", "password"].map((method) => ({ subject: "unknown", details: { method } }));
    expect(await newEntries()).toMatchObject(expected);
  });

  test("a recovery code that was used, and the log-in by it", async () => {
    const { email, codes } = await careful(service);
    await newEntries();
    await send("/api/auth/login", { email, password, code: codes[0] });
    expect(await newEntries()).toMatchObject([
      { kind: "recovery_code_used" },
      { kind: "login_succeeded", details: { method: "recovery_code" } },
    ]);
  });

  test("a refresh token of before: a thief, or whom he stole it from", async () => {
    const one = await service.person();
    const refresh = () => visitor.sessions.refresh({ body: { refresh_token: one.refreshToken } });
    await refresh();
    service.clock.advanceSeconds(60);
    await newEntries();
    expect(await codeOf(refresh())).toBe("sessions.refresh_reused");
    expect(await newEntries()).toMatchObject([{ kind: "refresh_reused", actor: "unknown", subject: one.id }]);
  });

  test("an origin that was blocked by itself, without its address", async () => {
    const headers = { "x-forwarded-for": "198.51.100.7" };
    const { email } = await service.person();
    await newEntries();
    for (let attempt = 0; attempt < 30; attempt++)
      await service.send("/api/auth/login", { body: { email, password: `guess ${attempt}` }, headers });
    const blocks = (await newEntries()).filter(({ kind }) => kind === "block_added");
    expect(blocks).toMatchObject([{ actor: "system", details: { reason: "failed_log_ins", minutes: 15 } }]);
    expect(blocks[0]?.origin).toMatch(/^[\w-]{16}$/);
  });

  async function refused(body: object): Promise<string> {
    return (await send("/api/auth/login", body)).json.code;
  }
});

test("what was refused leaves no entry that says it was done", async () => {
  const { client } = await service.admin();
  const id = (kind: "account" | "node" | "device" | "block") => ({ params: { id: createId(kind) } });
  await newEntries();
  const codes = [
    await codeOf(client.accounts.change({ ...id("account"), body: { role: "admin" } })),
    await codeOf(client.sessions.endAllOf(id("account"))),
    await codeOf(client.secondFactor.resetOf(id("account"))),
    await codeOf(client.blocks.lift(id("block"))),
    await codeOf(client.nodes.renewJoinToken(id("node"))),
    await codeOf(client.nodes.remove(id("node"))),
    await codeOf(client.fleetDevices.revoke(id("device"))),
  ];
  expect(codes.every((code) => code.endsWith(".not_found"))).toBe(true);
  expect(await newEntries()).toEqual([]);
});

test("a change of a node that there is not leaves no entry", async () => {
  const { client } = await service.admin();
  await newEntries();
  await codeOf(client.nodes.change({ params: { id: createId("node") }, body: { draining: true } }));
  expect(await newEntries()).toEqual([]);
});

test("a change of a node names what was changed, and no more", async () => {
  const [{ client }, { id }] = [await service.admin(), await joinNode(service, { capacity: 5 })];
  await newEntries();
  await client.nodes.change({ params: { id }, body: { draining: true } });
  expect(await newEntries()).toMatchObject([{ details: { names: ["is_draining"] } }]);
});

test("no mail address, name, network, token or moment of a customer stands in it, nor waits to", async () => {
  const { rows } = await service.database.pool.query<{ text: string; actor: string; time: string }>(
    `select body::text as text, body ->> 'actor' as actor, body ->> 'time' as time from audit_entries
     union all select body::text, body ->> 'actor', body ->> 'time' from audit_queue`,
  );
  expect(rows.length).toBeGreaterThan(50);
  const { rows: staff } = await service.database.pool.query<{ id: string }>(
    "select id from accounts where role <> 'customer'",
  );
  const timed = new Set(["system", ...staff.map(({ id }) => id)]);
  for (const { text, actor, time } of rows) {
    expect(text).not.toMatch(/@|\d+\.\d+\.\d+\.\d+|::|Phone|phone|Laptop|Harbour|Wave|sw[a-z]_/);
    const isCustomers = actor.startsWith("acc_") && !timed.has(actor);
    if (isCustomers || actor === "unknown") expect(time).toMatch(/^\d{4}-\d\d-\d\d$/);
  }
});
