import { sentinelErrors } from "@securewave/contracts/sentinel";
import { InvariantError } from "@securewave/foundation";
import fc from "fast-check";
import { fastify } from "fastify";
import { afterAll, describe, expect, test } from "vitest";
import { createCsrf } from "./index.ts";

const KEY = new Uint8Array(32).fill(7);
const OWN = "https://vpn.example.org";
const csrf = createCsrf({ key: KEY, isOwnOrigin: (origin) => origin === OWN });

const app = fastify();
let changes = 0;
app.addHook("onRequest", async (request) => csrf.check(request, String(request.headers["x-session"])));
app.route({
  method: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
  url: "/",
  handler: async () => {
    changes++;
    return "done";
  },
});
app.post("/log-in", { onRequest: async (request) => csrf.checkOrigin(request) }, async () => "in");
afterAll(() => app.close());

type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
async function send(headers: Record<string, string>, method: Method = "POST"): Promise<number> {
  const { statusCode, body } = await app.inject({
    method,
    url: "/",
    headers: { "x-session": "s1", ...headers },
  });
  if (statusCode !== 200) expect(JSON.parse(body)).toMatchObject({ code: sentinelErrors.forgedRequest.code });
  return statusCode;
}
const TOKEN = csrf.tokenFor("s1");

describe("a change by cookie", () => {
  test.each<Method>(["POST", "PUT", "PATCH", "DELETE"])(
    "%s needs the token of its session",
    async (method) => {
      expect(await send({ "x-csrf-token": TOKEN }, method)).toBe(200);
      expect(await send({}, method)).toBe(403);
    },
  );

  test("is made by the session's own page", async () => {
    for (const site of ["same-origin", "none"])
      expect(await send({ "x-csrf-token": TOKEN, origin: OWN, "sec-fetch-site": site })).toBe(200);
  });

  test.each<[string, Record<string, string>]>([
    ["another site, by its origin", { origin: "https://evil.example" }],
    ["a sandboxed page", { origin: "null" }],
    ["another scheme of the same name", { origin: "http://vpn.example.org" }],
    ["another site, by its fetch metadata", { "sec-fetch-site": "cross-site" }],
    ["a neighbour under the same domain", { "sec-fetch-site": "same-site", origin: OWN }],
  ])("from %s is refused, even with the right token", async (_, headers) => {
    const before = changes;
    expect(await send({ "x-csrf-token": TOKEN, ...headers })).toBe(403);
    expect(changes).toBe(before);
  });

  test.each([
    ["of another session", csrf.tokenFor("s2")],
    ["cut short", TOKEN.slice(0, -1)],
    ["with something behind it", `${TOKEN}A`],
    ["with something in it that decoders skip", `${TOKEN.slice(0, 20)} ${TOKEN.slice(20)}`],
    ["twice", `${TOKEN}, ${TOKEN}`],
    [
      "of another key",
      createCsrf({ key: new Uint8Array(32).fill(8), isOwnOrigin: () => true }).tokenFor("s1"),
    ],
    ["empty", ""],
  ])("with a token %s is refused", async (_, token) => {
    expect(await send({ "x-csrf-token": token })).toBe(403);
  });

  test("no token opens any session but its own", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(csrf.tokenFor(a) === csrf.tokenFor(b)).toBe(a === b);
      }),
    );
  });
});

test.each<Method>(["GET", "HEAD"])("%s, which changes nothing, passes", async (method) => {
  expect(await send({ origin: "https://evil.example" }, method)).toBe(200);
});

test("log-in CSRF: a log-in has no token yet, and must come from an own page all the same", async () => {
  const logIn = (headers: Record<string, string>) => app.inject({ method: "POST", url: "/log-in", headers });
  const token = { "x-session": "s1", "x-csrf-token": TOKEN };
  expect((await logIn({ ...token, origin: OWN })).statusCode).toBe(200);
  expect((await logIn({ ...token, origin: "https://evil.example" })).statusCode).toBe(403);
  expect(() => csrf.checkOrigin({ headers: { "sec-fetch-site": "cross-site" } } as never)).toThrow();
});

test("the header's name can be chosen, in any case", () => {
  const own = createCsrf({ key: KEY, headerName: "X-Own-Token", isOwnOrigin: () => true });
  const request = { method: "POST", headers: { "x-own-token": own.tokenFor("s1") } };
  expect(() => own.check(request as never, "s1")).not.toThrow();
});

test("a key that could be guessed is refused", () => {
  expect(() => createCsrf({ key: new Uint8Array(16), isOwnOrigin: () => true })).toThrow(InvariantError);
});
