import { accounts } from "./accounts.ts";
import { alerts } from "./alerts.ts";
import { apiKeys } from "./api-keys.ts";
import { audit } from "./audit.ts";
import { backups } from "./backups.ts";
import { blocks } from "./blocks.ts";
import { breaches } from "./breaches.ts";
import type { ChallengePurpose } from "./challenge-purposes.ts";
import { challenges } from "./challenges.ts";
import { database } from "./database.ts";
import { devices, fleetDevices } from "./devices.ts";
import { drills } from "./drills.ts";
import { deadLetters, jobs } from "./jobs.ts";
import { keys } from "./keys.ts";
import { nodes, servers } from "./nodes.ts";
import { passwords } from "./passwords.ts";
import { plans } from "./plans.ts";
import { privacy, privacyDesk } from "./privacy.ts";
import {
  type BodyOf,
  isRoute,
  type ParamsOf,
  type QueryOf,
  type ResultOf,
  type RouteSpec,
  type RouteTree,
} from "./route.ts";
import type { Problem } from "./schemas.ts";
import { passkeys, secondFactor } from "./second-factor.ts";
import { sentinelErrors } from "./sentinel.ts";
import { service } from "./service.ts";
import { session, sessions } from "./sessions.ts";
import { sla } from "./sla.ts";
import { status, statusDesk } from "./status.ts";
import { usage } from "./usage.ts";
import { zeroLog } from "./zero-log.ts";

/** Every operation of the HTTP API. */
export const api = {
  service,
  accounts,
  passwords,
  session,
  sessions,
  challenges,
  secondFactor,
  passkeys,
  apiKeys,
  blocks,
  audit,
  keys,
  nodes,
  servers,
  devices,
  fleetDevices,
  plans,
  usage,
  privacy,
  privacyDesk,
  zeroLog,
  jobs,
  deadLetters,
  alerts,
  sla,
  status,
  statusDesk,
  breaches,
  drills,
  backups,
  database,
};

/** The server said no, or could not be reached (`code` is then `client.unreachable`, `status` 0). */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly problem: Problem | undefined;
  /** When trying again makes sense, if the server said so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, code: string, message: string, problem?: Problem, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.problem = problem;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

type Given<Key extends string, Value> = [Value] extends [undefined]
  ? unknown
  : { readonly [K in Key]: Value };
type GivenQuery<Value> = [Value] extends [undefined] ? unknown : { readonly query?: Value };

export type CallInput<Spec extends RouteSpec> = Given<"params", ParamsOf<Spec>> &
  Given<"body", BodyOf<Spec>> &
  GivenQuery<QueryOf<Spec>> & { readonly signal?: AbortSignal };

type IsStream<Spec extends RouteSpec> = Spec["success"]["contentType"] extends "text/event-stream"
  ? true
  : false;

type CallResult<Spec extends RouteSpec> =
  IsStream<Spec> extends true ? AsyncIterable<ResultOf<Spec>> : Promise<ResultOf<Spec>>;

type Call<Spec extends RouteSpec> = [ParamsOf<Spec>, BodyOf<Spec>] extends [undefined, undefined]
  ? (input?: CallInput<Spec>) => CallResult<Spec>
  : (input: CallInput<Spec>) => CallResult<Spec>;

export type ClientOf<Tree> = {
  readonly [Name in keyof Tree]: Tree[Name] extends RouteSpec ? Call<Tree[Name]> : ClientOf<Tree[Name]>;
};

export type Client = ClientOf<typeof api>;

export interface ClientOptions {
  /** Such as `https://vpn.example.org`; empty in a page that the service itself serves. */
  readonly baseUrl: string;
  /** The access token to send, if there is one at the moment. */
  readonly token?: () => string | undefined;
  /** Asked once per call when the token was refused; true when a fresh one is at hand. */
  readonly renewToken?: () => Promise<boolean>;
  /** In a page: what its session gave for `X-CSRF-Token`. */
  readonly csrfToken?: () => string | undefined;
  /** Does the proof of work that the service asks for while it is under attack. */
  readonly solveChallenge?: (challenge: string, signal?: AbortSignal) => Promise<string>;
  readonly fetch?: typeof fetch;
}

/** Makes the typed client of the HTTP API: `client.devices.create({ body: { name: "Phone" } })`. */
export function createClient(options: ClientOptions): Client {
  return build(api, options) as Client;
}

function build(tree: RouteTree, options: ClientOptions): unknown {
  return Object.fromEntries(
    Object.entries(tree).map(([name, node]) => {
      if (!isRoute(node)) return [name, build(node, options)];
      const call = (input: LooseInput = {}) => send(node, input, options);
      const isStream = node.success.contentType === "text/event-stream";
      return [
        name,
        isStream ? (input: LooseInput = {}) => readEvents(() => call(input)) : callForValue(node, call),
      ];
    }),
  );
}

interface LooseInput {
  readonly params?: Record<string, unknown>;
  readonly query?: Record<string, unknown>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

function callForValue(route: RouteSpec, call: (input?: LooseInput) => Promise<Response>) {
  return async (input?: LooseInput) => {
    const response = await call(input);
    if (route.success.status === 204) return null;
    const type = response.headers.get("content-type") ?? "";
    return /[/+]json\b/.test(type) ? response.json() : response.text();
  };
}

async function send(route: RouteSpec, input: LooseInput, options: ClientOptions): Promise<Response> {
  const response = await sendOnce(route, input, options);
  if (isSuccess(route, response)) return response;
  if (response.status === 401 && route.access !== "anyone" && (await options.renewToken?.())) {
    const second = await sendOnce(route, input, options);
    if (second.ok) return second;
    throw await errorOf(second);
  }
  const error = await errorOf(response);
  const { challenge: purpose } = route;
  const { solveChallenge } = options;
  if (error.code !== sentinelErrors.challengeRequired.code || !purpose || !solveChallenge) throw error;
  const third = await sendOnce(route, input, options, await solve(purpose, input, solveChallenge, options));
  if (third.ok) return third;
  throw await errorOf(third);
}

async function solve(
  purpose: ChallengePurpose,
  { signal }: LooseInput,
  solveChallenge: NonNullable<ClientOptions["solveChallenge"]>,
  options: ClientOptions,
): Promise<string> {
  const issued = await sendOnce(challenges.issue, { query: { purpose }, ...(signal && { signal }) }, options);
  if (!issued.ok) throw await errorOf(issued);
  const { challenge } = (await issued.json()) as { challenge: string };
  return solveChallenge(challenge, signal);
}

function isSuccess({ success }: RouteSpec, response: Response): boolean {
  return response.ok || (success.alsoWith?.includes(response.status) ?? false);
}

async function sendOnce(
  route: RouteSpec,
  input: LooseInput,
  options: ClientOptions,
  solution?: string,
): Promise<Response> {
  const token = options.token?.();
  const csrfToken = options.csrfToken?.();
  const headers = new Headers();
  if (csrfToken !== undefined && route.method !== "GET") headers.set("x-csrf-token", csrfToken);
  if (solution !== undefined) headers.set("x-challenge-solution", solution);
  if (token !== undefined && route.access !== "anyone") headers.set("authorization", `Bearer ${token}`);
  // The API redirects nowhere, and what comes along must go nowhere else.
  const init: RequestInit = { method: route.method, headers, redirect: "error" };
  if (input.signal) init.signal = input.signal;
  if (route.body) {
    headers.set("content-type", "application/json");
    init.body = JSON.stringify(input.body);
  }
  try {
    return await (options.fetch ?? fetch)(options.baseUrl + pathOf(route, input), init);
  } catch (error) {
    if (input.signal?.aborted) throw error;
    throw new ApiError(
      0,
      "client.unreachable",
      "SecureWave cannot be reached. Is it running, and is the address right?",
    );
  }
}

function pathOf(route: RouteSpec, input: LooseInput): string {
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(input.params?.[name] ?? "")),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.size > 0 ? `${path}?${query}` : path;
}

async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => undefined);
  if (!isProblem(body)) {
    return new ApiError(
      response.status,
      "client.unexpected",
      `The answer had status ${response.status} and no explanation.`,
    );
  }
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(retryAfter) ? retryAfter : undefined;
  return new ApiError(response.status, body.code, body.detail ?? body.title, body, retryAfterSeconds);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "code" in body && typeof body.code === "string";
}

/** Reads server-sent events; @see https://html.spec.whatwg.org/multipage/server-sent-events.html */
async function* readEvents(open: () => Promise<Response>): AsyncGenerator<unknown> {
  const response = await open();
  if (!response.body) return;
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = events.pop() ?? "";
      for (const event of events) {
        const data = event
          .split("\n")
          .filter((line) => line.startsWith("data:"))
          .map((line) => line.slice(5).trimStart());
        if (data.length > 0) yield JSON.parse(data.join("\n"));
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
