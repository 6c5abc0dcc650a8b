import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { api, listRoutes } from "@securewave/contracts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestApp, PASSWORD, type Person, type RawAnswer } from "../testing.ts";

const service = await openTestApp({ settings: { MAX_REQUEST_SIZE: "20000" } });
afterAll(() => service.close());
let admin: Person;
beforeAll(async () => {
  admin = await service.admin();
});

const account = (change: object = {}) => ({ email: "new@example.org", password: PASSWORD, ...change });
const create = (body: string | Uint8Array<ArrayBuffer> | object, headers: Record<string, string> = {}) =>
  service.send("/api/admin/accounts", { token: admin.token, body, headers });

function expectProblem(answer: RawAnswer, status: number, code: string): void {
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  expect(answer.json).toMatchObject({
    type: `/api/docs/errors#${code}`,
    status,
    code,
    title: expect.any(String),
  });
  expect(answer.text).not.toMatch(/node_modules|\.ts:|at Object|SQLSTATE|select |insert /);
}

describe("a body that is", () => {
  const valid = JSON.stringify(account());
  test.each([
    ["cut", valid.slice(0, -1), 400, "request.malformed_json"],
    ["no JSON", "email=a&password=b", 400, "request.malformed_json"],
    ["two values", `${valid}${valid}`, 400, "request.malformed_json"],
    [
      "not UTF-8",
      Buffer.from([...Buffer.from('{"email":"'), 0xff, 0xfe, ...Buffer.from('"}')]),
      400,
      "request.malformed_json",
    ],
    [
      "an overlong encoding",
      Buffer.from([...Buffer.from('{"email":"'), 0xc0, 0xaf, ...Buffer.from('"}')]),
      400,
      "request.malformed_json",
    ],
    [
      "half a surrogate pair in bytes",
      Buffer.from([...Buffer.from('{"email":"'), 0xed, 0xa0, 0x80, ...Buffer.from('"}')]),
      400,
      "request.malformed_json",
    ],
    ["holding NUL", '{"email":"a\\u0000@example.org","password":"x"}', 400, "request.malformed_json"],
    [
      "reaching for __proto__",
      '{"__proto__":{"role":"admin"},"email":"a@example.org"}',
      400,
      "request.malformed_json",
    ],
    [
      "reaching for a constructor",
      '{"constructor":{"prototype":{"role":"admin"}}}',
      400,
      "request.malformed_json",
    ],
    ["above the limit", JSON.stringify(account({ password: "x".repeat(20_000) })), 413, "request.too_large"],
    ["empty", "", 400, "request.invalid"],
    ["null", "null", 400, "request.invalid"],
    ["a list", "[]", 400, "request.invalid"],
    ["a text", '"x"', 400, "request.invalid"],
    ["nested a thousand deep", `${"[".repeat(1000)}${"]".repeat(1000)}`, 400, "request.invalid"],
    ["without a field it needs", JSON.stringify({ email: "new@example.org" }), 400, "request.invalid"],
    ["with an unknown field", JSON.stringify(account({ is_admin: true })), 400, "request.invalid"],
    [
      "with a number for a text",
      JSON.stringify(account({ password: 1234567890123 })),
      400,
      "request.invalid",
    ],
    ["with a text for nothing", JSON.stringify(account({ role: "" })), 400, "request.invalid"],
    [
      "with an over-long text",
      JSON.stringify(account({ password: "long ".repeat(60) })),
      400,
      "request.invalid",
    ],
    [
      "with an over-long address",
      JSON.stringify(account({ email: `${"a".repeat(64)}@${"b.".repeat(100)}org` })),
      400,
      "request.invalid",
    ],
    [
      "with two addresses",
      JSON.stringify(account({ email: "a@example.org,b@example.org" })),
      400,
      "request.invalid",
    ],
    [
      "with a line break in the address",
      JSON.stringify(account({ email: "a@example.org\r\nBcc: b@example.org" })),
      400,
      "request.invalid",
    ],
  ] as const)("%s is refused, and nothing is changed", async (_, body, status, code) => {
    const before = await service.database.db.selectFrom("accounts").selectAll().execute();
    expectProblem(await create(body), status, code);
    expect(await service.database.db.selectFrom("accounts").selectAll().execute()).toEqual(before);
  });

  test.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "a",
    "application/json, text/plain",
  ])("of the type %s is refused", async (type) => {
    const answer = await create(valid, { "content-type": type });
    expectProblem(
      answer,
      answer.status,
      answer.status === 415 ? "request.unsupported_media_type" : "request.invalid",
    );
    expect([400, 415]).toContain(answer.status);
  });

  test("in another character set than UTF-8 is refused, in UTF-8 it is taken", async () => {
    const utf16 = Buffer.from(valid, "utf16le");
    expectProblem(
      await create(utf16, { "content-type": "application/json; charset=utf-16" }),
      400,
      "request.malformed_json",
    );
    const answer = await create(valid, { "content-type": "application/json; charset=utf-8" });
    expect(answer.status).toBe(201);
  });
});

test("what is wrong is pointed at, without quoting it", async () => {
  const answer = await create(account({ email: "secret-thing", password: "x" }));
  expect(answer.json.issues[0].at).toMatch(/^\/(email|password)$/);
  expect(answer.text).not.toContain("secret-thing");
  const unknown = await create(account({ surplus: "secret-thing" }));
  expect(unknown.json.issues).toEqual([{ at: "/surplus", message: "is not a field of this operation" }]);
  const missing = await create({ email: "a@example.org" });
  expect(missing.json.issues[0].at).toBe("/password");
});

test.each([
  ["/api/vpn/devices?limit=0", "query/limit"],
  ["/api/vpn/devices?limit=101", "query/limit"],
  ["/api/vpn/devices?limit=ten", "query/limit"],
  ["/api/vpn/devices?limit=1e400", "query/limit"],
  ["/api/vpn/devices?limit=-Infinity", "query/limit"],
  ["/api/vpn/devices?limit=NaN", "query/limit"],
  ["/api/vpn/devices?limit=", "query/limit"],
  ["/api/vpn/devices?limit=1&limit=2", "query/limit"],
  ["/api/vpn/devices?surplus=1", "query/surplus"],
  ["/api/vpn/devices?search=a%00b", "query/search"],
  [`/api/vpn/devices?search=${"x".repeat(101)}`, "query/search"],
  ["/api/vpn/devices?__proto__=1", "query"],
  ["/api/vpn/devices/dev_UPPERCASE", "params/id"],
  ["/api/vpn/devices/acc_00000000000000000000", "params/id"],
  ["/api/vpn/devices/dev_0000000000000000000%00", "params/id"],
])("%s is refused at %s", async (path, at) => {
  const answer = await service.send(path, { token: admin.token });
  expectProblem(answer, 400, "request.invalid");
  expect(answer.json.issues[0].at.startsWith(at)).toBe(true);
});

test.each([
  "/api/nothing",
  "/api/",
  "/api/vpn/devices/x/y/z",
  "/api//vpn/devices",
  "/API/service",
  "/file.txt",
])("at %s there is nothing", async (path) =>
  expectProblem(await service.send(path, { token: admin.token }), 404, "request.not_found"),
);

test.each([
  "/api/vpn/devices/",
  "/api/vpn/devices//config",
  `/api/vpn/devices/${"x".repeat(2000)}`,
  "/api/vpn/devices/%",
  "/api/vpn/devices/%ff",
  "/api/vpn/devices/named/%c0%af",
  "/%",
])("the path %s is no path", async (path) => {
  const method = path.includes("named") ? "PUT" : "GET";
  const answer = await service.send(path, { method, token: admin.token });
  expectProblem(answer, answer.status, answer.json.code);
  expect([400, 404]).toContain(answer.status);
});

test("every path with a method that it does not have is refused", async () => {
  const routes = listRoutes(api).map(({ route }) => route);
  for (const path of new Set(routes.map(({ path }) => path))) {
    const taken = routes.filter((route) => route.path === path).map(({ method }) => method as string);
    for (const method of ["PUT", "PATCH", "DELETE", "POST", "OPTIONS"].filter(
      (each) => !taken.includes(each),
    )) {
      const url = path.replace("{id}", "dev_00000000000000000000").replace("{name}", "x");
      const answer = await service.send(url, { method, token: admin.token });
      expectProblem(answer, 404, "request.not_found");
    }
  }
});

/** Sends bytes as they are and gives back all that is answered. */
async function sendBytes(bytes: string | Uint8Array): Promise<string> {
  const { port } = new URL(service.baseUrl);
  const socket = connect(Number(port), "127.0.0.1");
  socket.on("error", () => undefined);
  socket.end(bytes);
  return text(socket).catch(() => "");
}

test.each([
  ["no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
  ["a broken request line", "GET\r\n\r\n", 400],
  [
    "two lengths",
    "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    400,
  ],
  [
    "length and chunks",
    "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  [
    "a broken chunk",
    "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nx\r\n",
    400,
  ],
  ["headers without end", `GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(40_000)}\r\n\r\n`, 413],
  ["NUL in a header", "GET / HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n", 400],
])("%s is answered as a problem too", async (_, bytes, status) => {
  const answer = await sendBytes(bytes);
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(head.toLowerCase()).toContain("content-type: application/problem+json");
  expect(JSON.parse(body)).toMatchObject({
    status: expect.any(Number),
    code: expect.stringMatching(/^request\./),
  });
});

test("every answer carries the headers that bind a browser, refusals and pages alike", async () => {
  for (const path of ["/api/health", "/api/nothing", "/api/account", "/api/docs/", "/", "/%"]) {
    const { headers } = await service.send(path);
    const isData = path.startsWith("/api/") && !path.startsWith("/api/docs/");
    const sources = isData ? "default-src 'none'; frame-ancestors 'none'" : "default-src 'self'";
    expect(headers.get("content-security-policy"), path).toContain(sources);
    expect(headers.get("permissions-policy"), path).toContain("camera=()");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("server")).toBeNull();
    expect(headers.get("x-powered-by")).toBeNull();
    if (path.startsWith("/api/")) expect(headers.get("cache-control"), path).toBe("no-store");
  }
});

test("a failure of our own is told without its reason, which is logged without values", async () => {
  const { client, token } = await service.person();
  await service.database.pool.query("alter table devices rename to gone");
  const answer = await service.send("/api/vpn/devices", { token });
  await service.database.pool.query("alter table gone rename to devices");
  expectProblem(answer, 500, "request.failed");
  const line = service.logLines.findLast((each) => each.includes("request_failed"));
  expect(line).toContain("42P01");
  expect((await client.devices.list()).items).toEqual([]);
});
