/**
 * An API to develop the pages against: it keeps what it is told in memory, checks every request against the contracts,
 * and serves the built console under the Content-Security-Policy of the real one.
 *
 * Start: `node apps/console/test/mock-api.ts [port]`
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { extname, join, normalize } from "node:path";
import { api, listRoutes, type RouteSpec, requestErrors, sentinelErrors } from "@securewave/contracts";
import { leadingZeroBits, parseSolution, SOLUTION_HEADER } from "@securewave/contracts/challenge";
import { RefusalError } from "@securewave/foundation";
import { Value } from "typebox/value";
import type { Call } from "./mock-call.ts";
import { CSRF_TOKEN, createMockState, type MockState } from "./mock-state.ts";

const DIST = new URL("../dist/", import.meta.url).pathname;
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

export interface MockApi {
  readonly url: string;
  readonly state: MockState;
  close(): Promise<void>;
}

/** @param dist where the built pages are */
export async function startMockApi(port = 0, dist = DIST): Promise<MockApi> {
  const state = createMockState();
  const routes = listRoutes(api).map(({ name, route }) => ({ name, route, pattern: patternOf(route.path) }));

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    response.setHeader("content-security-policy", CONTENT_SECURITY_POLICY);
    if (!url.pathname.startsWith("/api/")) return serveFile(dist, url.pathname, response);
    if (state.isDown) return request.socket.destroy();
    const found = routes.find(
      ({ route, pattern }) => route.method === request.method && pattern.test(url.pathname),
    );
    if (!found) return refuse(response, requestErrors.notFound());
    try {
      const call = await readCall(request, url, found.route, found.pattern, state);
      if (state.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, state.delayMs));
      if (found.name === "devices.watch") return stream(response, call, state);
      const handle = state.handlers[found.name];
      if (!handle) throw requestErrors.notFound({ detail: "The mock does not know this." });
      answer(response, found.route, handle(call, response));
    } catch (error) {
      if (!(error instanceof RefusalError)) throw error;
      refuse(response, error);
    }
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  const bound = typeof address === "object" && address ? address.port : port;
  return {
    url: `http://127.0.0.1:${bound}`,
    state,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`);
}

async function readCall(
  request: IncomingMessage,
  url: URL,
  route: RouteSpec,
  pattern: RegExp,
  state: MockState,
): Promise<Call> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  const body: unknown = text === "" ? undefined : JSON.parse(text);
  if (route.body) {
    const issues = [...Value.Errors(route.body, body)].map((issue) => ({
      at: issue.instancePath || `/${String(Object.values(issue.params).flat()[0] ?? "")}`,
      message: issue.message,
    }));
    if (issues.length > 0) throw requestErrors.invalid({ issues });
  }
  const cookie = request.headers.cookie ?? "";
  const account = state.accountOf(cookie);
  if (route.access !== "anyone" && !account) throw requestErrors.notLoggedIn();
  if (route.access !== "anyone" && route.method !== "GET" && request.headers["x-csrf-token"] !== CSRF_TOKEN)
    throw sentinelErrors.forgedRequest();
  if (route.challenge !== undefined && state.isUnderAttack) checkSolution(request);
  if (["admin", "staff"].includes(route.access) && account?.role === "customer")
    throw requestErrors.notAllowed();
  return {
    body: (body ?? {}) as Record<string, unknown>,
    params: pattern.exec(url.pathname)?.groups ?? {},
    query: Object.fromEntries(url.searchParams),
    cookie,
    account,
    accountId: account?.id ?? "",
  };
}

function checkSolution({ headers }: IncomingMessage): void {
  const solution = headers[SOLUTION_HEADER];
  if (typeof solution !== "string") throw sentinelErrors.challengeRequired();
  const { difficultyBits } = parseSolution(solution) ?? { difficultyBits: 256 };
  const hash = createHash("sha256").update(solution).digest();
  if (leadingZeroBits(hash) < difficultyBits) throw sentinelErrors.challengeFailed();
}

function answer(response: ServerResponse, route: RouteSpec, result: unknown): void {
  response.statusCode = route.success.status;
  if (route.success.status === 204) return void response.end();
  const type = route.success.contentType ?? "application/json";
  response.setHeader("content-type", type);
  response.end(type === "application/json" ? JSON.stringify(result) : String(result));
}

function stream(response: ServerResponse, call: Call, state: MockState): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const send = () => response.write(`data: ${JSON.stringify(state.connectionsOf(call.account?.id))}\n\n`);
  send();
  const timer = setInterval(send, 1000);
  response.on("close", () => clearInterval(timer));
}

function refuse(response: ServerResponse, { status, code, title, message, issues, ...error }: RefusalError) {
  if (error.retryAfterSeconds !== undefined) response.setHeader("retry-after", error.retryAfterSeconds);
  response.writeHead(status, { "content-type": "application/problem+json" });
  response.end(JSON.stringify({ type: "about:blank", title, status, code, detail: message, issues }));
}

async function serveFile(dist: string, path: string, response: ServerResponse): Promise<void> {
  const file = normalize(path).replace(/^(\.\.(\/|$))+/, "");
  const name = extname(file) === "" ? "index.html" : file;
  try {
    const content = await readFile(join(dist, name));
    response.setHeader("content-type", TYPES[extname(name)] ?? "application/octet-stream");
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const mock = await startMockApi(Number(process.argv[2] ?? 8001));
  process.stdout.write(`${mock.url}\n`);
}
