import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { RouteSpec } from "@securewave/contracts";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectNode, openTestApp, type Person, type RawAnswer } from "../testing.ts";
import {
  type Example,
  exampleFor,
  objectPlaces,
  PARTS,
  propertiesOf,
  ROUTES,
  type Schema,
  schemaAt,
  textPlaces,
  urlOf,
  withValue,
} from "./examples.ts";

const LONG_MS = 180_000;
const service = await openTestApp({ jobs: true, settings: { TRUSTED_PROXIES: "127.0.0.1" } });
afterAll(() => service.close());
let admin: Person;
beforeAll(async () => {
  await connectNode(service);
  admin = await service.admin();
});

/** Left out: what ends the admin's own log-in, and streams, which do not end. */
const routes = ROUTES.filter(
  ({ name, route }) =>
    !/logOut|session\.close/.test(name) && route.success.contentType !== "text/event-stream",
);

let asked = 0;
/** Asks as an admin from an address of its own, so that nobody is held back for what was refused before. */
function ask(route: RouteSpec, token: string, example: Example): Promise<RawAnswer> {
  asked++;
  const address = `203.${asked >> 16}.${(asked >> 8) & 255}.${asked & 255}`;
  return service.send(urlOf(route, example), {
    method: route.method,
    token,
    headers: { "x-forwarded-for": address },
    ...(example.body === undefined ? {} : { body: example.body as object }),
  });
}

const ajv = addFormats.default(new Ajv({ allowUnionTypes: true, strict: false }));
const isIn = (schema: object, value: unknown) => ajv.validate(schema, value);

test("the examples that attacks start from fit their schemas", () => {
  for (const { name, route } of ROUTES) {
    const example = exampleFor(route);
    for (const part of PARTS) {
      const schema = route[part];
      if (schema) expect(isIn(schema, example[part]), `${name} ${part} ${ajv.errorsText()}`).toBe(true);
    }
  }
});

test("what is attacked are the operations of the OpenAPI document, all of them", async () => {
  const { paths } = (await service.send("/api/openapi.json")).json;
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(described.sort()).toEqual(ROUTES.map(({ route }) => `${route.method} ${route.path}`).sort());
});

/** The text in each place of an operation that takes one, all others being as they should. */
function attacksOn(name: string, route: RouteSpec, text: string) {
  return PARTS.flatMap((part) => {
    const schema = route[part] as Schema | undefined;
    return textPlaces(schema).map((place) => {
      const fitting = exampleFor(route);
      const example: Example = { ...fitting, [part]: withValue(fitting[part], place, text) };
      const isFitting = schema !== undefined && isIn(schema, example[part]);
      return { at: `${name} ${part} ${place.join(".")}`, route, example, isFitting };
    });
  });
}

const SQL = [
  "' or '1'='1",
  "'; drop table accounts; --",
  "1) union select password_hash from accounts --",
  "\\'; select pg_sleep(3); --",
  "$1$2{1}",
];
/** Fits the patterns of mail addresses and names; ids and keys have no place for more. */
const FITTING_SQL = ["a'or'1'='1'--@example.org", "x-1--", "select"];

describe("SQL injection in every string field", () => {
  async function accounts() {
    const { db } = service.database;
    return db.selectFrom("accounts").select(["id", "role", "state"]).orderBy("id").execute();
  }

  test.each([...SQL, ...FITTING_SQL])(
    "%s does nothing anywhere",
    async (text) => {
      const before = await accounts();
      const attacks = routes.flatMap(({ name, route }) => attacksOn(name, route, text));
      let taken = 0;
      for (const { at, route, example, isFitting } of attacks) {
        const { token } = await service.person("admin"); // one may end its log-in, or change its password
        const answer = await ask(route, token, example);
        expect(answer.status, at).toBeLessThan(500);
        expect(answer.text, at).not.toMatch(/argon2id|syntax error at|SQLSTATE/);
        // What the schema has no objection to comes as far as the operation.
        if (isFitting && answer.json?.code !== "request.invalid") taken++;
      }
      expect(attacks.length).toBeGreaterThan(75);
      expect(taken).toBeGreaterThan(5);
      expect(await accounts()).toEqual(expect.arrayContaining(before));
    },
    LONG_MS,
  );

  test("search, names and texts that are taken are kept as they are", async () => {
    const { client, token } = await service.person();
    for (const name of SQL) {
      const device = await client.devices.create({ body: { name } });
      expect(device.name).toBe(name);
      const found = await service.send(`/api/vpn/devices?search=${encodeURIComponent(name)}`, { token });
      expect(found.json.items.map(({ id }: { id: string }) => id)).toEqual([device.id]);
      await client.devices.remove({ params: { id: device.id } });
    }
  });

  test("wildcards in a search are letters", async () => {
    const { client, token } = await service.person();
    await client.devices.create({ body: { name: "Phone" } });
    for (const search of ["%", "_", "P%e", "\\", "%%%%%%%%%%"]) {
      const found = await service.send(`/api/vpn/devices?search=${encodeURIComponent(search)}`, { token });
      expect(found.json.items, search).toEqual([]);
    }
  });
});

describe("mass assignment", () => {
  const EXTRA = {
    role: "admin",
    id: "acc_1",
    account_id: "acc_1",
    state: "active",
    is_admin: true,
    scopes: ["*"],
    password_hash: "x",
    email_verified: true,
    created_on: "2000-01-01",
    expires_on: "2999-01-01",
    devices_per_account_max: 1_000_000,
    join_token_hash: "x",
    sealed_secret: "x",
  };
  /** What a browser's passkey answers is of the browser's own form; nothing of it is stored by its name. */
  const OPEN = new Set(["session.openWithPasskey response", "passkeys.add response"]);
  const withBody = routes.filter(({ route }) => route.body);

  test.each(withBody)("$name takes no field that it does not name, at any depth", async ({ name, route }) => {
    const { token } = await service.person("admin");
    const schema = route.body as Schema;
    for (const place of objectPlaces(schema)) {
      if (OPEN.has(`${name} ${place.join(".")}`)) continue;
      const object = schemaAt(schema, place);
      expect(object.additionalProperties).toBe(false);
      const known = new Set(propertiesOf(object).map(([field]) => field));
      for (const [field, value] of Object.entries(EXTRA).filter(([each]) => !known.has(each))) {
        const example = exampleFor(route);
        const body = withValue(example.body, [...place, field], value);
        const answer = await ask(route, token, { ...example, body });
        expect(answer, field).toMatchObject({ status: 400, json: { code: "request.invalid" } });
        const at = `/${[...place, field].join("/")}`;
        expect(answer.json.issues).toEqual([{ at, message: "is not a field of this operation" }]);
      }
    }
  });

  test("neither does a query", async () => {
    for (const { name, route } of routes.filter(({ route }) => route.query)) {
      const example = exampleFor(route);
      const query = { ...example.query, account_role: "admin" };
      const { token } = await service.admin();
      const answer = await ask(route, token, { ...example, query });
      expect(answer, name).toMatchObject({ status: 400, json: { code: "request.invalid" } });
    }
  });
});

describe("prototype pollution", () => {
  test.each([
    '{"__proto__":{"role":"admin"}}',
    '{"constructor":{"prototype":{"role":"admin"}}}',
    '{"name":"x","__proto__":{"isAdmin":true}}',
    '{"name":{"__proto__":{"toString":"x"}}}',
    '{"\\u005f_proto__":{"role":"admin"}}',
  ])("%s is refused and changes no object", async (body) => {
    const headers = { "content-type": "application/json" };
    const answer = await service.send("/api/vpn/devices", {
      method: "POST",
      token: admin.token,
      body,
      headers,
    });
    expect(answer.status).toBe(400);
    expect({}).not.toHaveProperty("role");
    expect({}).not.toHaveProperty("isAdmin");
  });

  test("through a query or a cookie neither", async () => {
    await service.send("/api/vpn/devices?__proto__[role]=admin&constructor.prototype.role=admin", {
      token: admin.token,
    });
    await service.send("/api/session", { headers: { cookie: "__proto__=x; constructor=y; role=admin" } });
    expect({}).not.toHaveProperty("role");
  });
});

describe("ReDoS", () => {
  /** The pattern of every string in the contract, against what makes backtracking patterns explode. */
  function patternsOf(schema: Schema | undefined): string[] {
    if (!schema) return [];
    const inner = [...propertiesOf(schema).map(([, part]) => part), ...(schema.items ? [schema.items] : [])];
    return [...(schema.pattern ? [schema.pattern] : []), ...inner.flatMap(patternsOf)];
  }
  const patterns = new Set(
    ROUTES.flatMap(({ route }) =>
      [route.params, route.query, route.body].flatMap((schema) => patternsOf(schema as Schema | undefined)),
    ),
  );
  const FLOODS = ["a", "a.", "a-", "a@a.", " ", "0", "é", "=", "A1", "a b"].flatMap((part) => [
    part.repeat(20_000),
    `${part.repeat(20_000)}!`,
    `x@${part.repeat(20_000)}\u0000`,
  ]);

  test.each([...patterns])("%s decides on long texts about as fast as on twice shorter ones", (pattern) => {
    const expression = new RegExp(pattern, "u");
    for (const flood of FLOODS) {
      const startMs = performance.now();
      expression.test(flood);
      // A linear pattern takes well under a millisecond; an exponential one never ends.
      expect(performance.now() - startMs).toBeLessThan(1000);
    }
  });
});

describe("log injection", () => {
  const CANARY = "c4n4ry";
  const EVIL = `${CANARY}\r\n{"level":50,"event":"owned"}\u001b[31m\u2028\u0085`;

  /** Every line is one JSON object of ours, of which nothing that was sent is a part. */
  function expectClean(before: number): void {
    for (const line of service.logLines.slice(before)) {
      expect(line).not.toContain(CANARY);
      expect(line).not.toContain("owned");
      expect(line.trimEnd()).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      expect(JSON.parse(line)).toMatchObject({ event: expect.any(String) });
    }
  }

  test("nothing that a request holds becomes a line of its own, or part of one", async () => {
    const before = service.logLines.length;
    await service.send(`/api/${encodeURIComponent(EVIL)}?x=${encodeURIComponent(EVIL)}`, {
      headers: { "user-agent": `${CANARY} {"event":"owned"}`, "x-forwarded-for": CANARY, referer: CANARY },
    });
    await service.send("/api/auth/login", { body: { email: `${CANARY}@example.org`, password: EVIL } });
    await service.send("/api/vpn/devices", { token: admin.token, body: { name: EVIL } });
    expect(service.logLines.length).toBeGreaterThan(before);
    expectClean(before);
  });

  test(
    "through any string field of any operation",
    async () => {
      const before = service.logLines.length;
      const { token } = await service.person("admin");
      for (const text of [EVIL, CANARY, `${CANARY}\n${CANARY}`, `${CANARY}@example.org`]) {
        const attacks = routes.flatMap(({ name, route }) => attacksOn(name, route, text));
        for (const { route, example } of attacks) await ask(route, token, example);
      }
      expect(service.logLines.length).toBeGreaterThan(before + 200);
      expectClean(before);
    },
    LONG_MS,
  );

  test("through any header, also of requests that are refused before they are read", async () => {
    const NAMES =
      "user-agent referer origin cookie authorization accept accept-language content-type x-forwarded-for x-request-id traceparent tracestate baggage x-csrf-token x-challenge if-none-match range via from forwarded x-real-ip";
    const before = service.logLines.length;
    const port = Number(new URL(service.baseUrl).port);
    for (const name of NAMES.split(" "))
      for (const value of [
        CANARY,
        `${CANARY}\t{"event":"owned"}`,
        `${CANARY}\u001b[2J`,
        `${CANARY}\r`,
        `a\n${CANARY}`,
      ])
        await writeRaw(
          port,
          `GET /api/account HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${name}: ${value}\r\n\r\n`,
        );
    for (const line of [`${CANARY} / HTTP/1.1`, `GET /${CANARY}\u001b[31m HTTP/1.1`, `GET / ${CANARY}/9`])
      await writeRaw(port, `${line}\r\nHost: ${CANARY}\r\nConnection: close\r\n\r\n`);
    expect(service.logLines.length).toBeGreaterThan(before + 20);
    expectClean(before);
  });
});

/** Writes what no client would, and waits until it is answered. */
async function writeRaw(port: number, request: string): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.write(Buffer.from(request, "latin1"));
  await text(socket).catch(() => undefined);
}
