import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { openTestApp } from "../testing.ts";

const service = await openTestApp({ settings: { REQUEST_TIMEOUT_SECONDS: "2", MAX_REQUEST_SIZE: "65536" } });
afterAll(() => service.close());
const port = Number(new URL(service.baseUrl).port);

/** Writes raw text and reads until the server closes, or the time is over. */
async function speak(
  parts: readonly string[],
  everyMs = 0,
  untilMs = 15_000,
): Promise<{ text: string; closed: boolean }> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  let closed = false;
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    closed = true;
  });
  const deadlineMs = performance.now() + untilMs;
  for (const part of parts) {
    if (closed) break;
    socket.write(part);
    if (everyMs > 0) await pause(everyMs);
  }
  while (!closed && performance.now() < deadlineMs) await pause(20);
  socket.destroy();
  return { text, closed };
}
const statusOf = (text: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
const HEAD = "Host: 127.0.0.1\r\nConnection: close\r\n";

describe("oversized bodies", () => {
  test("one byte more than allowed is refused, by its announced length", async () => {
    const { text } = await speak([
      `POST /api/auth/login HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\nContent-Length: 65537\r\n\r\n`,
    ]);
    expect(statusOf(text)).toBe(413);
  });

  test("one that announces none and goes on is cut off", async () => {
    const chunk = `4000\r\n${"a".repeat(0x4000)}\r\n`;
    const head = `POST /api/auth/login HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const { text, closed } = await speak([head, ...Array.from({ length: 64 }, () => chunk)], 5);
    expect(statusOf(text)).toBe(413);
    expect(closed).toBe(true);
  });

  test("deeply nested JSON is refused, and quickly", async () => {
    const body = `${"[".repeat(30_000)}${"]".repeat(30_000)}`;
    const answer = await service.send("/api/auth/login", { body, method: "POST" });
    expect(answer.status).toBe(400);
  });
});

describe("slow bodies and heads (slow loris)", () => {
  test("a head that drips is given up, and others are served meanwhile", async () => {
    const slow = speak(
      ["GET /api/service HTTP/1.1\r\n", ...Array.from({ length: 60 }, (_, n) => `X-${n}: a\r\n`)],
      250,
    );
    await pause(500);
    expect((await service.send("/api/service")).status).toBe(200);
    const { closed, text } = await slow;
    expect(closed).toBe(true);
    expect([408, 503, Number.NaN]).toContain(statusOf(text));
  });

  test("a body that drips is given up", async () => {
    const head = `POST /api/auth/login HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n`;
    const { closed } = await speak([head, ...Array.from({ length: 60 }, () => "a")], 250);
    expect(closed).toBe(true);
  });
});

describe("floods", () => {
  test("more headers than anybody needs are refused", async () => {
    const many = Array.from({ length: 1500 }, (_, n) => `X-${n}: a\r\n`).join("");
    const { text, closed } = await speak([`GET /api/service HTTP/1.1\r\n${HEAD}${many}\r\n`]);
    expect([400, 431, 413]).toContain(statusOf(text));
    expect(closed).toBe(true);
  });

  test("a head of megabytes is refused", async () => {
    const { text } = await speak([`GET /api/service HTTP/1.1\r\n${HEAD}X: ${"a".repeat(100_000)}\r\n\r\n`]);
    expect([400, 431, 413]).toContain(statusOf(text));
  });

  test("more parameters than anybody needs are refused", async () => {
    const many = Array.from({ length: 2000 }, (_, n) => `a${n}=1`).join("&");
    expect((await service.send(`/api/service?${many.slice(0, 4000)}`)).status).toBe(400);
  });

  test("a URL of kilobytes is refused", async () => {
    const { status } = await service.send(`/api/service?q=${"a".repeat(12_000)}`);
    expect([400, 413, 414, 431]).toContain(status);
  });
});

describe("request smuggling", () => {
  test.each([
    ["two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"],
    ["a length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"],
    ["a hidden encoding", "Transfer-Encoding: xchunked\r\n"],
    ["a space before the colon", "Content-Length : 5\r\n"],
  ])("%s are refused", async (_, headers) => {
    const { text, closed } = await speak([`POST /api/auth/login HTTP/1.1\r\n${HEAD}${headers}\r\nhello`]);
    expect(statusOf(text)).toBe(400);
    expect(closed).toBe(true);
  });
});

describe("path traversal on static files", () => {
  test.each([
    "/../../../../etc/passwd",
    "/assets/../../../../etc/passwd",
    "/assets/..%2f..%2f..%2fetc%2fpasswd",
    "/assets/%2e%2e/%2e%2e/package.json",
    "/assets/..\\..\\package.json",
    "/assets/%c0%ae%c0%ae/package.json",
    "/api/docs/..%2f..%2fpackage.json",
    "/assets/%00/etc/passwd",
    "//etc/passwd",
    "/.env",
    "/.git/config",
    "/securewave.env",
  ])("%s gets nothing of ours", async (path) => {
    const { text } = await speak([`GET ${path} HTTP/1.1\r\n${HEAD}\r\n`]);
    expect(text).not.toMatch(/root:x:|"workspaces"|\[core\]|MASTER_KEY/);
    expect([400, 404, 200]).toContain(statusOf(text));
    if (statusOf(text) === 200) expect(text).toContain("<!doctype html");
  });
});
