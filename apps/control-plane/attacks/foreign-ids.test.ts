import { type Role, type RouteSpec, SCOPES, type Scope } from "@securewave/contracts";
import { createId, dayOf, invariant } from "@securewave/foundation";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAuthenticator } from "../testing/authenticator.ts";
import { connectNode, openTestApp, PASSWORD, type Person } from "../testing.ts";
import {
  type Example,
  exampleFor,
  kindOf,
  type NamedRoute,
  PARTS,
  propertiesOf,
  ROUTES,
  urlOf,
} from "./examples.ts";

const ORIGIN = "http://localhost:8000";
const LONG_MS = 120_000;
/** Behind a proxy, so that nobody is held back for what was refused before. */
const service = await openTestApp({ jobs: true, settings: { TRUSTED_PROXIES: "127.0.0.1" } });
afterAll(() => service.close());

/**
 * How a route that takes an id treats one of somebody else's things:
 * `owner` as one that does not exist, whoever asks; `staff` and `admin` let these act on everybody's; `everybody` has
 * nothing that is anybody's.
 */
type Treatment = "owner" | "staff" | "admin" | "everybody";

/** Every route that is given an id, in its path, query or body. One that is missing here fails. */
const TREATMENTS: Readonly<Record<string, Treatment>> = {
  "accounts.show id": "staff",
  "accounts.change id": "admin",
  "sessions.end id": "owner",
  "sessions.endAllOf id": "admin",
  "secondFactor.resetOf id": "admin",
  "passkeys.rename id": "owner",
  "passkeys.remove id": "owner",
  "apiKeys.rotate id": "owner",
  "apiKeys.revoke id": "owner",
  "blocks.lift id": "staff",
  "nodes.show id": "staff",
  "nodes.health id": "staff",
  "nodes.change id": "admin",
  "nodes.renewJoinToken id": "admin",
  "nodes.remove id": "admin",
  "nodes.trust id": "admin",
  "servers.status id": "everybody",
  "devices.create server_id": "everybody",
  "devices.ensure server_id": "everybody",
  "devices.show id": "owner",
  "devices.change id": "owner",
  "devices.move id": "owner",
  "devices.move server_id": "everybody",
  "devices.rotate id": "owner",
  "devices.revoke id": "owner",
  "devices.remove id": "owner",
  "devices.config id": "owner",
  "devices.qr id": "owner",
  "deadLetters.retry id": "admin",
  "deadLetters.discard id": "admin",
  "plans.show id": "staff",
  "plans.change id": "admin",
  "plans.remove id": "admin",
  "plans.ofAccount id": "staff",
  "plans.assign id": "admin",
  "plans.assign plan_id": "admin",
  "statusDesk.changeIncident id": "staff",
  "statusDesk.removeIncident id": "staff",
  "statusDesk.updateIncident id": "staff",
  "statusDesk.changeUpdate id": "staff",
  "statusDesk.removeUpdate id": "staff",
  "statusDesk.reschedule id": "admin",
  "statusDesk.cancel id": "admin",
  "usage.ofAccount id": "staff",
  "privacyDesk.close id": "staff",
  "privacyDesk.showDeletion id": "staff",
  "privacyDesk.erase id": "admin",
  "privacyDesk.keep id": "admin",
  "fleetDevices.list account_id": "staff",
  "fleetDevices.revoke id": "staff",
  "breaches.show id": "admin",
  "breaches.note id": "admin",
  "breaches.rotate id": "admin",
  "breaches.notify id": "admin",
  "breaches.notify node_id": "admin",
  "breaches.close id": "admin",
  "drills.show id": "staff",
};

/** Routes about one's own things that take no id: the caller alone says whose, so that there is nothing to forge. */
const OWN =
  /^(accounts\.me|plans\.own|usage\.own|privacy\.|session\.|sessions\.(logOut|logOutEverywhere|list)|secondFactor\.|passwords\.change|passkeys\.(list|begin|add)|apiKeys\.(list|create)|devices\.(list|create|ensure|watch))/;

const idFields = ({ name, route }: NamedRoute) =>
  PARTS.flatMap((part) =>
    propertiesOf(route[part]).flatMap(([field, schema]) => {
      const kind = kindOf(schema.pattern ?? "");
      return kind ? [{ key: `${name} ${field}`, part, field, kind }] : [];
    }),
  );

test("every route that takes an id says how it treats those of others", () => {
  const keys = ROUTES.flatMap((each) => idFields(each).map(({ key }) => key));
  expect(keys.sort()).toEqual(Object.keys(TREATMENTS).sort());
});

test("every other route about an account's own things is told whose by its caller alone", () => {
  for (const { name, route } of ROUTES) {
    if (route.access !== "account" || /^servers\./.test(name)) continue;
    const owned = idFields({ name, route }).some(({ key }) => TREATMENTS[key] === "owner");
    if (owned) continue;
    expect(name).toMatch(OWN);
    const fields = PARTS.flatMap((part) => propertiesOf(route[part]).map(([field]) => field));
    expect(
      fields.filter((field) => /account|owner|user/.test(field)),
      name,
    ).toEqual([]);
  }
});

/** Somebody who is logged in, in one of the ways there are. */
interface Caller {
  readonly label: string;
  readonly role: Role;
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for who may do all that its role may. */
  readonly scopes: readonly Scope[] | undefined;
}

const ROLES: readonly Role[] = ["customer", "support", "admin"];
const SCOPE_SETS: readonly (readonly Scope[])[] = [...SCOPES.map((scope) => [scope]), SCOPES];
const callers: Caller[] = [];
let owner: Person;
/** The owner's things, by the kind of their ids. */
let things: Readonly<Record<string, string>>;

async function thingsOf(person: Person) {
  const { client, email } = person;
  const device = await client.devices.create({ body: { name: "Phone" } });
  const authenticator = createAuthenticator({ origin: ORIGIN });
  const options = await client.passkeys.begin({ body: { password: PASSWORD } });
  const passkey = await client.passkeys.add({
    body: { name: "Phone", response: authenticator.register(options) },
  });
  const key = await keyOf(person, ["account:read"]);
  await service.logIn(email);
  const { items } = await client.sessions.list();
  const session = items.find(({ is_current }) => !is_current);
  const node = device.server;
  invariant(session && node, "the owner has another log-in, and a device with a server");
  return {
    account: person.id,
    device: device.id,
    passkey: passkey.id,
    apiKey: key.id,
    session: session.id,
    node: node.id,
  };
}

const keyOf = ({ client }: Person, scopes: readonly Scope[]) =>
  client.apiKeys.create({
    body: {
      name: "Key",
      scopes: [...scopes],
      expires_in_days: 1,
      requests_per_minute: 1000,
      password: PASSWORD,
    },
  });

async function openBrowser({ email }: Person): Promise<Record<string, string>> {
  const opened = await service.send("/api/session", { body: { email, password: PASSWORD } });
  const cookie = opened.headers.get("set-cookie")?.split(";")[0] ?? "";
  return { cookie, "x-csrf-token": String(opened.json.csrf_token) };
}

beforeAll(async () => {
  await connectNode(service);
  owner = await service.person();
  const block = await (await service.admin()).client.blocks.add({
    body: { network: "198.51.100.7", minutes: 60 },
  });
  const plan = await (await service.admin()).client.plans.create({ body: { name: "Harbour" } });
  const request = await owner.client.privacy.ask({ body: { kind: "other" } });
  const { statusDesk } = (await service.admin()).client;
  const incident = await statusDesk.openIncident({ body: { title: "Slow", text: "It is slow." } });
  const inDays = (days: number) => new Date(service.clock.now() + days * 86_400_000).toISOString();
  const maintenance = await statusDesk.schedule({
    body: { title: "Disks", text: "New ones.", starts_at: inDays(2), ends_at: inDays(3), notifies: false },
  });
  const others = {
    block: block.id,
    plan: plan.id,
    privacyRequest: request.id,
    incident: incident.id,
    incidentUpdate: incident.updates[0]?.id ?? "",
    maintenance: maintenance.id,
  };
  const deadLetter = createId("deadLetter");
  const letter = { id: deadLetter, job: "account-mail", account_id: owner.id, data: "{}", attempts: 9 };
  await service.database.db
    .insertInto("dead_letters")
    .values({ ...letter, failed_on: dayOf(service.clock.now()) })
    .execute();
  things = { ...(await thingsOf(owner)), ...others, deadLetter, ...(await pastTrouble()) };
  for (const role of ROLES) {
    const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
    const person = await service.person(role);
    callers.push({ label: `${role}, access token`, role, headers: bearer(person.token), scopes: undefined });
    const headers = await openBrowser(person);
    callers.push({ label: `${role}, browser`, role, headers, scopes: undefined });
    for (const scopes of SCOPE_SETS) {
      const { text } = await keyOf(await service.person(role), scopes);
      callers.push({ label: `${role}, API key for ${scopes}`, role, headers: bearer(text), scopes });
    }
  }
});

/** A breach that is over, as one that is open shuts customers out, and a drill. */
async function pastTrouble() {
  const { db } = service.database;
  const ids = { breach: createId("breach"), drill: createId("drill") };
  const now = new Date(service.clock.now());
  await db
    .insertInto("breaches")
    .values({ id: ids.breach, summary: "A lost laptop", opened_at: now, closed_at: now })
    .execute();
  const report = { number: 1, id: ids.drill, scenario: "redis-loss", outcome: "met" as const, note: "" };
  const measured = { rto_seconds: 1, rpo_seconds: 0, carried_out_on: dayOf(service.clock.now()) };
  await db
    .insertInto("drill_reports")
    .values({ ...report, ...measured })
    .execute();
  return ids;
}

const TABLES = [
  "accounts",
  "devices",
  "sessions",
  "passkeys",
  "api_keys",
  "nodes",
  "second_factors",
  "plans",
  "privacy_requests",
  "incidents",
  "incident_updates",
  "maintenance_windows",
  "dead_letters",
  "breaches",
  "breach_entries",
  "drill_reports",
  "notices",
  "deletions",
] as const;

/** All that there is, so that what a refused request changes is seen. */
async function allRows() {
  const { pool } = service.database;
  const rows = TABLES.map(async (table) => {
    const { rows } = await pool.query(`select to_jsonb(t) - 'revision' as row from ${table} t order by 1`);
    return [table, rows];
  });
  return Object.fromEntries(await Promise.all(rows));
}

let asked = 0;
async function ask({ route }: NamedRoute, example: Example, headers: Readonly<Record<string, string>>) {
  asked++;
  const {
    status,
    text,
    headers: answered,
  } = await service.send(urlOf(route, example), {
    method: route.method,
    headers: { ...headers, "x-forwarded-for": `203.${asked >> 16}.${(asked >> 8) & 255}.${asked & 255}` },
    ...(example.body === undefined ? {} : { body: example.body as object }),
  });
  return { status, text, type: answered.get("content-type"), cookie: answered.get("set-cookie") };
}

const withId = (example: Example, part: (typeof PARTS)[number], field: string, id: string): Example => ({
  ...example,
  [part]: { ...(example[part] as object), [field]: id },
});

/** An example of a request whose sender knows the own password. */
function exampleBy(route: RouteSpec, right: Readonly<Record<string, unknown>> = {}): Example {
  const example = exampleFor(route);
  if (example.body === undefined) return example;
  const known: Readonly<Record<string, unknown>> = { password: PASSWORD, ...right };
  const fields = Object.entries(Object(example.body)).map(([name, value]) => [name, known[name] ?? value]);
  return { ...example, body: Object.fromEntries(fields) };
}

const mayAct = (treatment: Treatment, role: Role) =>
  treatment === "everybody" ||
  (treatment === "staff" && role !== "customer") ||
  (treatment === "admin" && role === "admin");

const attacked = ROUTES.flatMap((each) => idFields(each).map((field) => ({ ...each, ...field })));

describe("IDOR: the id of somebody else's thing is answered as one that nobody has, and nothing changes", () => {
  test.each(attacked.filter(({ key }) => TREATMENTS[key] !== "everybody"))(
    "$key",
    async ({ name, route, key, part, field, kind }) => {
      const treatment = TREATMENTS[key] ?? "owner";
      const foreignId = things[kind];
      invariant(foreignId, "the owner has one of each kind");
      const strangers = callers.filter(
        ({ role, scopes }) =>
          !mayAct(treatment, role) || (scopes && !(route.scope && scopes.includes(route.scope))),
      );
      expect(strangers.length).toBeGreaterThan(20);
      const before = await allRows();
      for (const { label, scopes, role, headers } of strangers) {
        const example = exampleBy(route);
        const foreign = await ask({ name, route }, withId(example, part, field, foreignId), headers);
        const absent = await ask({ name, route }, withId(example, part, field, createId(kind)), headers);
        expect(foreign, label).toEqual(absent);
        const isOutOfScope = scopes && !(route.scope && scopes.includes(route.scope));
        const isLetIn = !isOutOfScope && treatment === "owner";
        expect(foreign.status, `${label} ${role}`).toBe(isLetIn ? 404 : 403);
        if (isLetIn) expect(foreign.text).toContain("not_found");
      }
      expect(await allRows()).toEqual(before);
    },
    LONG_MS,
  );

  test.each(attacked.filter(({ key }) => TREATMENTS[key] === "owner"))(
    "$key of one's own is acted on, by the same request",
    async ({ name, route, part, field, kind }) => {
      const person = await service.person();
      const own: Readonly<Record<string, string>> = await thingsOf(person);
      const example = withId(
        exampleBy(route, { server_id: own.node, public_key: generateKeyPair().publicKey }),
        part,
        field,
        own[kind] ?? "",
      );
      const headers = { authorization: `Bearer ${person.token}` };
      const answer = await ask({ name, route }, example, headers);
      expect(answer.status, answer.text).toBe(route.success.status);
    },
  );

  test("lists show nobody else's things, in any way of asking and on any page", async () => {
    const lists = ROUTES.filter(
      ({ route }) => route.access === "account" && route.method === "GET" && !route.params,
    );
    const texts = [things.device, things.passkey, things.apiKey, things.session, things.account, owner.email];
    let seen = 0;
    for (const { name, route } of lists) {
      if (route.success.contentType === "text/event-stream") continue; // shown in http/access.test.ts
      for (const { label, headers } of callers) {
        const answer = await ask({ name, route }, { params: {}, query: {}, body: undefined }, headers);
        expect([200, 403]).toContain(answer.status);
        seen += answer.status === 200 ? 1 : 0;
        for (const text of texts) expect(answer.text, `${name} ${label}`).not.toContain(text);
      }
    }
    expect(seen).toBeGreaterThan(40);
  });
});
