import { api, listRoutes, type RouteSpec } from "@securewave/contracts";
import { createId } from "@securewave/foundation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectNode, openTestApp, type Person, type RawAnswer } from "../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());
let admin: Person;
beforeAll(async () => {
  await connectNode(service);
  admin = await service.admin();
});

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly minLength?: number;
  readonly minimum?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly items?: Schema;
  readonly properties?: Record<string, Schema>;
}

/** A value that a schema takes, roughly: what it is refused for must be the attack, as far as possible. */
function exampleOf(schema: Schema): unknown {
  if (schema.enum) return schema.enum[0];
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "integer" || type === "number") return Math.max(1, schema.minimum ?? 1);
  if (type === "boolean") return true;
  if (type === "array") return schema.items ? [exampleOf(schema.items)] : [];
  if (type === "object") return Object.fromEntries(propertiesOf(schema).map(([n, s]) => [n, exampleOf(s)]));
  if (schema.pattern?.includes("@")) return "somebody@example.org";
  return "x".repeat(Math.max(3, schema.minLength ?? 0));
}

const propertiesOf = (schema: Schema | undefined) => Object.entries(schema?.properties ?? {});

function ask(route: RouteSpec, attack: (name: string, schema: Schema) => unknown): Promise<RawAnswer> {
  const fill = (schema: Schema | undefined) =>
    Object.fromEntries(propertiesOf(schema).map(([name, part]) => [name, attack(name, part)]));
  const params = fill(route.params as Schema | undefined);
  const path = route.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(params[name])));
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fill(route.query as Schema | undefined)))
    query.set(name, String(value));
  const body = route.body ? { body: fill(route.body as Schema) } : {};
  const url = query.size > 0 ? `${path}?${query}` : path;
  return service.send(url, { method: route.method, token: admin.token, ...body });
}

const isText = ({ type, enum: words }: Schema) => !words && (type === "string" || type?.includes?.("string"));

/** Left out: what ends the admin's own log-in, and streams, which do not end. */
const routes = listRoutes(api).filter(
  ({ name, route }) =>
    !/logOut|session\.close/.test(name) && route.success.contentType !== "text/event-stream",
);

const SQL = [
  "' or '1'='1",
  "'; drop table accounts; --",
  "1) union select password_hash from accounts --",
  "\\'; select pg_sleep(3); --",
  "$1$2{1}",
];

describe("SQL injection in every string field", () => {
  test.each(SQL)("%s does nothing anywhere", async (text) => {
    const before = await service.database.db
      .selectFrom("accounts")
      .select(["id", "role"])
      .orderBy("id")
      .execute();
    let asked = 0;
    for (const { name, route } of routes) {
      const fields = [route.params, route.query, route.body].flatMap((s) =>
        propertiesOf(s as Schema | undefined),
      );
      for (const [field] of fields.filter(([, schema]) => isText(schema))) {
        const answer = await ask(route, (n, schema) => (n === field ? text : exampleOf(schema)));
        expect(answer.status, `${name} ${field}`).toBeLessThan(500);
        expect(answer.text).not.toMatch(/argon2id|syntax error at|SQLSTATE/);
        asked++;
      }
    }
    expect(asked).toBeGreaterThan(40);
    const after = await service.database.db
      .selectFrom("accounts")
      .select(["id", "role"])
      .orderBy("id")
      .execute();
    expect(after).toEqual(expect.arrayContaining(before));
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
  };
  test.each(routes.filter(({ route }) => route.body))(
    "$name takes no field that it does not name",
    async ({ route }) => {
      const known = new Set(propertiesOf(route.body as Schema).map(([name]) => name));
      const surplus = Object.entries(EXTRA).filter(([name]) => !known.has(name));
      for (const [name, value] of surplus) {
        const id = createId("device");
        const path = route.path.replace(/\{\w+\}/g, id);
        const body = { ...(exampleOf(route.body as Schema) as object), [name]: value };
        const answer = await service.send(path, { method: route.method, token: admin.token, body });
        expect(answer, name).toMatchObject({ status: 400, json: { code: "request.invalid" } });
      }
    },
  );
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
    listRoutes(api).flatMap(({ route }) =>
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
  test("nothing that a request holds becomes a line of its own, or part of one", async () => {
    const canary = "c4n4ry";
    const evil = `${canary}\r\n{"level":50,"event":"owned"}\u001b[31m`;
    const before = service.logLines.length;
    await service.send(`/api/${encodeURIComponent(evil)}?x=${encodeURIComponent(evil)}`, {
      headers: { "user-agent": `${canary} {"event":"owned"}`, "x-forwarded-for": canary, referer: canary },
    });
    await service.send("/api/auth/login", { body: { email: `${canary}@example.org`, password: evil } });
    await service.send("/api/vpn/devices", { token: admin.token, body: { name: evil } });
    const lines = service.logLines.slice(before);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect(line).not.toContain(canary);
      expect(line).not.toContain("owned");
      expect(line.trimEnd()).not.toMatch(/\p{Cc}/u);
      expect(() => JSON.parse(line)).not.toThrow();
    }
  });
});
