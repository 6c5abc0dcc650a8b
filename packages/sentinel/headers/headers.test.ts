import { sentinelErrors } from "@securewave/contracts/sentinel";
import { fastify } from "fastify";
import { afterAll, describe, expect, test } from "vitest";
import { inOrder, pluginOf } from "../step.ts";
import { sendRaw } from "../testing.ts";
import { contentSecurityPolicy, createHeadersStep, type HeadersOptions, securityHeaders } from "./index.ts";

async function open(options: HeadersOptions) {
  const app = fastify();
  const refuse = () => {
    throw sentinelErrors.blocked();
  };
  const step = createHeadersStep(options);
  app.register(
    pluginOf("headers", inOrder([step, (request) => (request.url === "/refused" ? refuse() : undefined)])),
  );
  app.get("/page", async () => "page");
  app.get("/api/things/:id", async () => "thing");
  app.get("/api/cached", async (_request, reply) => reply.header("cache-control", "max-age=60").send("kept"));
  app.get("/refused", async () => "never");
  app.get("/broken", async () => {
    throw new Error("broken");
  });
  await app.ready();
  return app;
}

const app = await open({ isSecure: true, dataPaths: ["/api/"] });
afterAll(() => app.close());

describe("security headers", () => {
  test.each([
    ["a page", "/page", 200],
    ["a refusal", "/refused", 403],
    ["a failure", "/broken", 500],
    ["what is not there", "/nothing", 404],
  ])("%s has them all", async (_, url, status) => {
    const answer = await app.inject(url);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "permissions-policy": expect.stringContaining("camera=()"),
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "strict-transport-security": expect.stringMatching(/^max-age=\d{8}/),
    });
    expect(answer.headers["content-security-policy"]).toContain("default-src 'self'");
  });

  test("the policy lets no script or style stand in a page, nor any site frame it", () => {
    expect(contentSecurityPolicy()).not.toMatch(/unsafe-|\*/);
    expect(contentSecurityPolicy()).toContain("frame-ancestors 'none'");
  });

  test("a directive can be changed without losing the others", () => {
    const policy = contentSecurityPolicy({ "connect-src": "'self' https://api.example.org", sandbox: "" });
    expect(policy).toContain("connect-src 'self' https://api.example.org;");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toMatch(/; sandbox$/);
  });

  test("without https nothing is said that browsers would not believe", () => {
    const headers = securityHeaders({ isSecure: false });
    expect(headers).not.toHaveProperty("strict-transport-security");
    expect(headers).not.toHaveProperty("cross-origin-opener-policy");
    expect(headers).toHaveProperty("x-frame-options");
  });

  test("no answer names the program that made it", async () => {
    const { headers } = await app.inject("/page");
    expect(headers).not.toHaveProperty("server");
    expect(headers).not.toHaveProperty("x-powered-by");
  });
});

describe("caches", () => {
  test.each([
    "/api/things/7",
    "/api/nothing",
    "/%61pi/things/7",
    "/ap%69/things/7",
    "http://localhost/api/things/7",
  ])("keep no answer of %s", async (url) => {
    const { headers } = await sendRaw(app, { target: url });
    expect(headers["cache-control"]).toBe("no-store");
  });

  test("may keep what stands elsewhere, and what a route says may be kept", async () => {
    expect((await app.inject("/page")).headers).not.toHaveProperty("cache-control");
    expect((await app.inject("/api/cached")).headers["cache-control"]).toBe("max-age=60");
  });
});
