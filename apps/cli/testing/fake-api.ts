import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Access, api, listRoutes, type RouteSpec, requestErrors } from "@securewave/contracts";
import { SOLUTION_HEADER } from "@securewave/contracts/challenge";
import { invariant, RefusalError } from "@securewave/foundation";
import type { TSchema } from "typebox";
import { Value } from "typebox/value";
import { sendLines } from "./fake-audit.ts";
import { createHandlers } from "./fake-handlers.ts";
import type { Handlers, Input } from "./fake-input.ts";
import { demandScope, demandWork } from "./fake-security-handlers.ts";
import { createFakeState, type FakeState } from "./fake-state.ts";

export interface FakeApi {
  readonly url: string;
  readonly state: FakeState;
  /** Method and path of every request. */
  readonly requests: string[];
  readonly close: () => Promise<void>;
}

/** A stand-in for the service: takes and gives only what the contracts allow, and keeps all in memory. */
export async function startFakeApi(): Promise<FakeApi> {
  const state = createFakeState();
  const handlers = createHandlers(state);
  const requests: string[] = [];
  const routes = listRoutes(api);
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    void answer(request, response, routes, handlers, state);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  invariant(typeof address === "object" && address !== null, "the server listens on a port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    state,
    requests,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: ReturnType<typeof listRoutes>,
  handlers: Handlers,
  state: FakeState,
): Promise<void> {
  const send = (status: number, type: string, body: string) => {
    response.writeHead(status, { "content-type": type }).end(body);
  };
  try {
    const { name, route, params, query } = findRoute(routes, request);
    authorise(route.access, request, state);
    demandScope(route, bearerOf(request), state);
    demandWork(route, request.headers[SOLUTION_HEADER], state);
    const token = bearerOf(request);
    const input: Input = {
      params: checked(route.params, params, "params"),
      query: checked(route.query, query, "query"),
      body: checked(route.body, route.body === undefined ? {} : await readJson(request), "body"),
      token,
      accountId: state.accountOfToken(token)?.id ?? "",
    };
    const handler = handlers[name];
    if (handler === undefined) throw requestErrors.notFound();
    const result = await handler(input);
    invariant(Value.Check(route.success.schema, result), `the fake answers ${name} as the contract says`);
    if (route.success.status === 204) response.writeHead(204).end();
    else if (route.success.contentType === "application/jsonl") sendLines(response, String(result), state);
    else if (route.success.contentType === "text/plain") send(200, "text/plain", String(result));
    else send(statusOf(route, name, state), "application/json", JSON.stringify(result));
  } catch (error) {
    const { code, status, message, issues, retryAfterSeconds } =
      error instanceof RefusalError ? error : requestErrors.failed({ detail: String(error) });
    const problem = { type: "about:blank", title: message, status, code, detail: message, issues };
    if (retryAfterSeconds !== undefined) response.setHeader("retry-after", retryAfterSeconds);
    send(status, "application/problem+json", JSON.stringify(problem));
  }
}

function statusOf(route: RouteSpec, name: string, state: FakeState): number {
  return name === "service.health" && state.health === "unhealthy" ? 503 : route.success.status;
}

function findRoute(routes: ReturnType<typeof listRoutes>, request: IncomingMessage) {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://fake");
  for (const { name, route } of routes) {
    const pattern = new RegExp(`^${route.path.replace(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`);
    const match = pattern.exec(pathname);
    if (match === null || route.method !== request.method) continue;
    const params = Object.entries(match.groups ?? {}).map(
      ([key, text]) => [key, decodeURIComponent(text)] as const,
    );
    return { name, route, params: Object.fromEntries(params), query: Object.fromEntries(searchParams) };
  }
  throw requestErrors.notFound();
}

function checked(schema: TSchema | undefined, value: unknown, place: string): Record<string, unknown> {
  if (schema === undefined) return {};
  const converted = place === "query" ? Value.Convert(schema, value) : value;
  if (!Value.Check(schema, converted)) {
    throw requestErrors.invalid({ issues: [{ at: place, message: "is not what the contract says" }] });
  }
  invariant(typeof converted === "object" && converted !== null, "inputs are objects");
  return { ...converted };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text);
}

function bearerOf(request: IncomingMessage): string {
  return /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
}

const RANKS: Readonly<Record<string, number>> = {
  anyone: 0,
  account: 1,
  customer: 1,
  staff: 2,
  support: 2,
  admin: 3,
};

function authorise(access: Access, request: IncomingMessage, state: FakeState): void {
  if (access === "anyone") return;
  const account = state.accountOfToken(bearerOf(request));
  if (account === undefined) throw requestErrors.notLoggedIn();
  if ((RANKS[account.role] ?? 0) < (RANKS[access] ?? 9)) throw requestErrors.notAllowed();
}
