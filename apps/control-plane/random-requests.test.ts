import { api, listRoutes } from "@securewave/contracts";
import type { IdKind } from "@securewave/foundation";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { createMemory } from "./testing/memory.ts";
import { type Caller, type RandomRequest, randomRequest, resolve } from "./testing/random-request.ts";
import { connectNode, type FakeNode, openTestApp, type Person } from "./testing.ts";

const REQUESTS = 20_000;
const BATCH = 100;
/** Together, so that requests also meet each other. */
const CONCURRENT = 8;
/** `RANDOM_SEED=5` sends the same requests again. */
const seed = Number(process.env.RANDOM_SEED ?? Math.floor(Math.random() * 2 ** 31));

const service = await openTestApp({ jobs: true });
afterAll(() => service.close());

/**
 * Nobody guesses what a mail, an authenticator or an earlier answer alone holds, times that make a window of maintenance,
 * or a whole report of a drill, nor sets up a service with an admin. No search for traces and no backup is possible here,
 * nothing is given up, and what lets in nobody but staff is not sent.
 */
const UNGUESSABLE =
  /^(breaches\.(start|show|note|rotate|notify|close)|backups\.(show|start|verify|cleanUp)|deadLetters\.(retry|discard)|drills\.(record|show)|statusDesk\.(switchMode|schedule|reschedule|cancel)|service\.setUp|accounts\.verifyEmail|passwords\.(checkReset|reset)|session\.openWithPasskey|secondFactor\.(confirm|disable|renew\w+)|passkeys\.(add|rename|remove)|privacy\.(agree|keepHistory)|zeroLog\.start)$/;
const HOUR_SECONDS = 3600;
const ajv = addFormats.default(new Ajv({ allowUnionTypes: true, strict: false }));
const successes = new Map(
  listRoutes(api)
    .filter(({ route }) => route.success.contentType === undefined && route.success.status !== 204)
    .map(({ name, route }) => [name, ajv.compile(route.success.schema)]),
);

const memory = createMemory();
const statuses = new Map<number, number>();
const reached = new Map<string, number>();
let node: FakeNode | undefined;
let people: Record<Exclude<Caller, "visitor">, Person> | undefined;

/** Log-ins that were ended and roles that were taken away would leave nothing but refusals. */
async function renew(): Promise<void> {
  service.clock.advanceSeconds(HOUR_SECONDS); // whoever failed to log in too often may try again
  if (node?.socket().readyState !== WebSocket.OPEN)
    node = await connectNode(service, { capacity: 1_000_000 });
  const present = people;
  const [customer, neighbour, support, admin] = await Promise.all([
    renewed("customer", present?.customer),
    renewed("customer", present?.neighbour),
    renewed("support", present?.support),
    renewed("admin", present?.admin),
  ]);
  people = { customer, neighbour, support, admin };
  await service.database.pool.query(`
    insert into settings values ('devices_per_account_max', '400'), ('registration', '"open"')
    on conflict (name) do update set value = excluded.value`);
}

async function renewed(role: Person["role"], person?: Person): Promise<Person> {
  const me = await person?.client.accounts.me().catch(() => undefined);
  if (person && me?.role === role) return person;
  const again = person && (await service.logIn(person.email).catch(() => undefined));
  if (again?.role === role) return again;
  const fresh = await service.person(role);
  if (role !== "admin") memory.keep("account", fresh.id);
  memory.keep("email", fresh.email);
  memory.keep("refresh token", fresh.refreshToken);
  return fresh;
}

function textOf(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function build({ route, method, params, query, body, caller, headers }: RandomRequest) {
  const known = {
    ...memory,
    ids: (kind: IdKind) =>
      kind === "node"
        ? nodesFor(route.path)
        : kind === "account"
          ? accountsFor(route.path)
          : memory.ids(kind),
  };
  const filled = resolve(params, known) as Record<string, unknown>;
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => encode(textOf(filled[name])));
  const pairs = query.map(([name, value]) => `${encode(name)}=${encode(textOf(resolve(value, known)))}`);
  const content = resolve(body, known);
  const token = caller === "visitor" ? undefined : people?.[caller].token;
  const isRaw = typeof content === "string" || content instanceof Uint8Array;
  return {
    method: method as "GET",
    url: pairs.length > 0 ? `${path}?${pairs.join("&")}` : path,
    headers: {
      ...(content === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(content === undefined || method === "GET" || method === "HEAD"
      ? {}
      : { payload: isRaw ? Buffer.from(content) : JSON.stringify(content) }),
  };
}

/** One node is connected: devices are to be put on that, and nobody may drain or remove it. */
function nodesFor(path: string): string[] {
  const connected = node?.identity.id ?? "";
  const others = memory.ids("node").filter((id) => id !== connected);
  return path.startsWith("/api/admin/nodes") ? others : [connected, ...others.slice(0, 2)];
}

/** Who sends the requests is erased by nobody. */
function accountsFor(path: string): readonly string[] {
  const callers = new Set(Object.values(people ?? {}).map(({ id }) => id));
  const ids = memory.ids("account");
  return path.endsWith("/deletion") ? ids.filter((id) => !callers.has(id)) : ids;
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(/%2e/gi, ".");
}

async function check(request: RandomRequest): Promise<void> {
  const built = build(request);
  const isStream = request.route.success.contentType === "text/event-stream";
  const answer = await service.app.server.inject({ ...built, payloadAsStream: isStream });
  const { statusCode: status, headers } = answer;
  if (isStream && status === 200) {
    answer.stream().destroy();
    reached.set(request.name, (reached.get(request.name) ?? 0) + 1);
    return;
  }
  const text = isStream ? "" : answer.payload;
  const at = `${built.method} ${built.url} by ${request.caller} with ${String(built.payload).slice(0, 500)}: ${status} ${text.slice(0, 300)}`;
  statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const failure =
    status < 500 ? undefined : service.logLines.findLast((line) => line.includes("request_failed"));
  expect(failure, at).toBeUndefined();
  expect(status, at).toBeLessThan(500);
  if (status >= 400) {
    expect(headers["content-type"], at).toMatch(/^application\/problem\+json/);
    if (text === "") return; // an answer to HEAD, or to a stream
    const problem = JSON.parse(text);
    expect(problem, at).toMatchObject({
      status,
      code: expect.any(String),
      title: expect.any(String),
      type: `/api/docs/errors#${problem.code}`,
    });
    return;
  }
  if (built.method !== request.route.method) return;
  reached.set(request.name, (reached.get(request.name) ?? 0) + 1);
  expect(status, at).toBe(request.route.success.status);
  const isRight = successes.get(request.name);
  if (!isRight) return;
  const value = JSON.parse(text);
  expect(isRight(value), `${at} ${ajv.errorsText(isRight.errors)}`).toBe(true);
  memory.learn(value);
}

async function checkAll(requests: readonly RandomRequest[]): Promise<void> {
  await renew();
  const left = [...requests];
  const work = async () => {
    for (let request = left.pop(); request; request = left.pop()) await check(request);
  };
  await Promise.all(Array.from({ length: CONCURRENT }, work));
}

test(`${REQUESTS} random requests over all routes are answered without a failure of ours (RANDOM_SEED=${seed})`, async () => {
  const batch = fc.array(randomRequest(), { minLength: BATCH, maxLength: BATCH, size: "max" });
  // What a request meets depends on those before it, so there is nothing to be shrunk.
  await fc.assert(fc.asyncProperty(batch, checkAll), { seed, numRuns: REQUESTS / BATCH, endOnFailure: true });
  const sent = [...statuses.values()].reduce((sum, count) => sum + count, 0);
  expect(sent).toBeGreaterThan(REQUESTS * 0.95);
  const never = listRoutes(api)
    .map(({ name }) => name)
    .filter((name) => !reached.has(name));
  expect(never).toEqual(expect.arrayContaining(["accounts.verifyEmail", "service.setUp"]));
  const others = never.filter((name) => !UNGUESSABLE.test(name));
  expect(others.length, `never answered with success: ${others.join(", ")}`).toBeLessThan(10);
  expect((statuses.get(200) ?? 0) + (statuses.get(201) ?? 0)).toBeGreaterThan(sent * 0.2);
  // After all this the books still agree.
  const { rows } = await service.database.pool.query(`
    select (select count(*) from devices where state = 'active') as active,
      (select sum(devices)::int from nodes) as on_nodes,
      (select sum(devices_active)::int from accounts) as of_accounts,
      (select next_index - 2 - (select count(*) from free_addresses) from address_pool) as addresses`);
  const { active, on_nodes, of_accounts, addresses } = rows[0];
  expect([on_nodes, of_accounts, Number(addresses)]).toEqual([active, active, active]);
}, 240_000);
