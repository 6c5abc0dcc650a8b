import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { temporaryDir } from "@securewave/testing/temporary";
import { fastify } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addConsole } from "../http/console.ts";
import { answerErrors } from "../http/problems.ts";
import { createLogger } from "../logger.ts";
import { openTestApp, PASSWORD } from "../testing.ts";

const LIMIT = 5;
const service = await openTestApp({
  settings: { RATE_LIMIT_IP: String(LIMIT), RATE_LIMIT_SENSITIVE: String(LIMIT) },
});
afterAll(() => service.close());
/** All limits are of a minute, which slides: what was asked in the one before counts in part. */
const FORGOTTEN_SECONDS = 121;

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Clients and proxies clean a path up; this writes it as it is told. */
async function speak(
  baseUrl: string,
  target: string,
  { method = "GET", token = "", body = "" } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(baseUrl);
  const socket = connect(Number(port), hostname);
  const lines = [
    `${method} ${target} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    "Connection: close",
    ...(token ? [`Authorization: Bearer ${token}`] : []),
    ...(body ? ["Content-Type: application/json", `Content-Length: ${body.length}`] : []),
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
  const answer = await text(socket);
  const [head = "", ...rest] = answer.split("\r\n\r\n");
  return { status: Number(head.split(" ")[1]), head, body: rest.join("\r\n\r\n") };
}

const escapeLetter = (path: string, at: number) =>
  `${path.slice(0, at)}%${path.charCodeAt(at).toString(16)}${path.slice(at + 1)}`;

/** Other ways to write a path below `/api/`, some of which mean the same to some servers. */
const SPELLINGS: Readonly<Record<string, (path: string) => string>> = {
  "an escaped letter": (path) => escapeLetter(path, 1),
  "an escaped last letter": (path) => escapeLetter(path, path.length - 1),
  "every letter escaped": (path) =>
    path.replace(/[a-z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  "escapes twice over": (path) => path.replace("a", "%2561"),
  "two slashes": (path) => `/${path}`,
  "two slashes within": (path) => path.replace("/api/", "/api//"),
  "escaped slashes": (path) => path.replaceAll("/", "%2f").replace("%2f", "/"),
  "a slash behind": (path) => `${path}/`,
  "up and down again": (path) => `/api/..${path}`,
  "up and down again, escaped": (path) => `/api/%2e%2e${path}`,
  "from another folder": (path) => `/assets/..${path}`,
  "a dot": (path) => path.replace("/api/", "/api/./"),
  "an escaped dot": (path) => path.replace("/api/", "/api/%2e/"),
  "upper case": (path) => path.toUpperCase(),
  "one capital": (path) => path.replace("/api", "/Api"),
  backslashes: (path) => path.replaceAll("/", "\\").replace("\\", "/"),
  "parameters of a path": (path) => `${path};jsessionid=1`,
  "parameters within": (path) => path.replace("/api/", "/api;x=1/"),
  "NUL behind": (path) => `${path}%00`,
  "a blank behind": (path) => `${path}%20`,
  "a line's end": (path) => `${path}%0d%0a`,
  "an ending": (path) => `${path}.json`,
  "an empty query": (path) => `${path}?`,
  "a fragment": (path) => `${path}#x`,
  "an absolute address": (path) => `http://127.0.0.1${path}`,
  "an absolute address of another host": (path) => `http://evil.example${path}`,
  "wide letters": (path) => path.replace("a", "%EF%BD%81"),
  "an overlong encoding": (path) => path.replace("a", "%C1%A1"),
};
const spellings = Object.entries(SPELLINGS);

describe("a path spelled otherwise", () => {
  const path = "/api/admin/accounts";
  let tokens: Record<"customer" | "admin", string>;
  beforeAll(async () => {
    const people = await Promise.all([service.person(), service.person("admin")]);
    tokens = { customer: people[0].token, admin: people[1].token };
  });

  test.each(spellings)("with %s opens nothing that it does not open as it should be", async (_, spell) => {
    service.clock.advanceSeconds(FORGOTTEN_SECONDS);
    const target = spell(path);
    const [visitor, customer, admin] = [
      await speak(service.baseUrl, target),
      await speak(service.baseUrl, target, { token: tokens.customer }),
      await speak(service.baseUrl, target, { token: tokens.admin }),
    ];
    const statuses = [visitor.status, customer.status];
    // Either it is an operation, and its gate stands before it, or it is none for anybody.
    const isGated = visitor.status === 401;
    expect(statuses).toEqual(isGated ? [401, 403] : [admin.status, admin.status]);
    expect(isGated ? [200, 400] : [400, 404, 421]).toContain(admin.status);
    expect(visitor.body + customer.body).not.toContain("@example.org");
    // What is shown is in no cache afterwards, however it was asked for.
    if (admin.status === 200) expect(admin.head.toLowerCase()).toContain("cache-control: no-store");
  });

  test.each(spellings)("with %s is counted with the others", async (_, spell) => {
    service.clock.advanceSeconds(FORGOTTEN_SECONDS);
    const ask = (target: string) => speak(service.baseUrl, target);
    const isReached = (await ask(spell("/api/service"))).status === 200;
    service.clock.advanceSeconds(FORGOTTEN_SECONDS);
    for (let count = 0; count < LIMIT; count++) await ask(spell("/api/service"));
    expect((await ask("/api/service")).status).toBe(isReached ? 429 : 200);
    if (isReached) expect((await ask(spell("/api/service"))).status).toBe(429);
  });

  test.each(spellings)("with %s gives no more guesses of a password", async (_, spell) => {
    const { email } = await service.person();
    service.clock.advanceSeconds(FORGOTTEN_SECONDS);
    const logIn = (target: string, password: string) =>
      speak(service.baseUrl, target, { method: "POST", body: JSON.stringify({ email, password }) });
    const codes: number[] = [];
    for (let count = 0; count < LIMIT; count++)
      codes.push((await logIn(spell("/api/auth/login"), "wrong password")).status);
    const isReached = codes.includes(401);
    expect((await logIn("/api/auth/login", PASSWORD)).status).toBe(isReached ? 429 : 200);
    service.clock.advanceSeconds(3600);
  });

  test("some of them do reach the operation, so that there is something to be shown", async () => {
    const reached: string[] = [];
    for (const [name, spell] of spellings) {
      service.clock.advanceSeconds(FORGOTTEN_SECONDS);
      const { status } = await speak(service.baseUrl, spell("/api/service"));
      if (status === 200) reached.push(name);
    }
    expect(reached).toEqual(expect.arrayContaining(["an escaped letter", "every letter escaped"]));
    expect(reached).not.toContain("up and down again");
    expect(reached).not.toContain("upper case");
  });
});

describe("the console's fallback", async () => {
  const dir = temporaryDir("console");
  mkdirSync(`${dir.path}/assets`);
  writeFileSync(`${dir.path}/index.html`, "<!doctype html><title>Console</title>");
  writeFileSync(`${dir.path}/assets/a.js`, "console.log(1)");
  const app = fastify();
  answerErrors(app, createLogger("error", { write: () => undefined }));
  app.get("/api/secret", async () => "the secret");
  await addConsole(app, dir.path);
  const baseUrl = await app.listen({ host: "127.0.0.1", port: 0 });
  afterAll(async () => {
    await app.close();
    dir.remove();
  });

  test("pages get the console, absent operations a refusal", async () => {
    expect((await speak(baseUrl, "/devices/dev_1")).body).toContain("<title>Console");
    expect((await speak(baseUrl, "/api/nothing")).status).toBe(404);
  });

  test.each(spellings)(
    "a path of the API with %s is no page of the console that a cache may keep",
    async (_, spell) => {
      const { head, status } = await speak(baseUrl, spell("/api/nothing"));
      expect([200, 400, 404]).toContain(status);
      if (status === 200) expect(head).toMatch(/cache-control: no-cache/);
    },
  );

  test.each([
    ...spellings.map(([, spell]) => spell("/assets/../paths.test.ts")),
    `/assets/..%2f..%2f..${fileURLToPath(import.meta.url)}`,
    `/%2e%2e/%2e%2e/%2e%2e${fileURLToPath(import.meta.url)}`,
    `//${fileURLToPath(import.meta.url)}`,
  ])("%s leads to no file outside", async (target) => {
    const { body, status } = await speak(baseUrl, target);
    expect([200, 400, 403, 404]).toContain(status);
    expect(body).not.toContain("leads to no file outside");
  });
});
