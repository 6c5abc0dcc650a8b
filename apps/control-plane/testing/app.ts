import { fileURLToPath } from "node:url";
import { hash } from "@node-rs/argon2";
import {
  ApiError,
  api,
  type Client,
  createClient,
  listRoutes,
  type Role,
  requestErrors,
  sentinelErrors,
} from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { openAsService, openTestDatabase, type TestDatabase } from "@securewave/database/testing";
import { createId, createManualClock, dayOf, invariant, type ManualClock } from "@securewave/foundation";
import { createSecret } from "@securewave/foundation/secret";
import { readSettings } from "@securewave/foundation/settings";
import { latestMail, type ReceivedMail, readOutbox } from "@securewave/testing/mail";
import { temporaryDir } from "@securewave/testing/temporary";
import { type App, type AppOptions, createApp } from "../app.ts";
import { type Config, settings } from "../config.ts";
import { createTelemetry } from "../http/telemetry.ts";
import { createLogger } from "../logger.ts";
import { insertAccount } from "./data-keys.ts";

/** Somebody with an account who is logged in. */
export interface Person {
  readonly id: string;
  readonly email: string;
  readonly role: Role;
  readonly token: string;
  readonly refreshToken: string;
  readonly client: Client;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined when the body is not JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any form
  readonly json: any;
}

export interface RawRequest {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Record<string, string>;
  /** Sent as it is; an object is sent as JSON. */
  readonly body?: string | Uint8Array<ArrayBuffer> | object;
}

export interface TestApp {
  readonly app: App;
  readonly config: Config;
  readonly clock: ManualClock;
  readonly database: TestDatabase;
  /** Such as `http://127.0.0.1:40000`. */
  readonly baseUrl: string;
  /** Every line that was logged, at level `debug`. */
  readonly logLines: readonly string[];
  /** A client without a log-in, or with a given access token. */
  client(token?: string): Client;
  /** Sends what a typed client would not. */
  send(path: string, request?: RawRequest): Promise<RawAnswer>;
  /** Makes an account without spending time on a slow hash, and logs it in. */
  person(role?: Role): Promise<Person>;
  logIn(email: string, password?: string): Promise<Person>;
  /** The one admin of this app, made at first use. */
  admin(): Promise<Person>;
  latestMail(to: string): Promise<ReceivedMail>;
  mails(): Promise<ReceivedMail[]>;
  close(): Promise<void>;
}

export interface TestAppOptions {
  /** By variable, as in the environment: `{ IP_POOL_V4: "10.8.0.0/28" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly clock?: ManualClock;
  /** In place of the service's own logins: another connection to the database, such as one that can be cut. */
  readonly wrapDatabase?: (database: TestDatabase) => Database | Promise<Database>;
  /** Jobs are what sends mails; without them nothing may register. */
  readonly jobs?: boolean;
  /** A database of the test's own in place of a fresh one; closed with the app. */
  readonly database?: TestDatabase;
  /** The service's own folder, which then stays. */
  readonly dataDir?: string;
  readonly createJobs?: AppOptions["createJobs"];
  /** Nodes of tests have no tunnels, so nothing is probed unless the settings say so. */
  readonly probeEveryMs?: number;
  readonly auditor?: readonly string[];
  readonly backupWorker?: readonly string[];
  /** In place of the agent's own folder. */
  readonly agentDir?: string;
}

const AGENT_DIR = fileURLToPath(import.meta.resolve("../../node-agent"));

/** Strong enough for every rule of the service. */
export const PASSWORD = "horse battery staple 7";

/** Tests ask more in a minute than people do, and all from one address. */
const UNLIMITED = {
  RATE_LIMIT_GLOBAL: "100000000",
  RATE_LIMIT_IP: "1000000",
  RATE_LIMIT_USER: "1000000",
  RATE_LIMIT_SENSITIVE: "1000000",
  AUTO_BLOCK_THRESHOLD: "1000000",
  AUTO_BLOCK_FAILED_LOGINS: "1000000",
  CHALLENGE_FAILED_LOGINS: "1000000",
};

/** Checked 50 times as fast as what the service makes: the parameters stand in the hash. */
let cheapHash: Promise<string> | undefined;

/** Starts the control plane on a fresh database, listening on a free port of 127.0.0.1. */
export async function openTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const database = options.database ?? (await openTestDatabase());
  const used = await (options.wrapDatabase ?? openAsService)(database);
  const dir = temporaryDir("control-plane");
  const clock = options.clock ?? createManualClock(Date.now());
  const config = readTestConfig({
    DATA_DIR: options.dataDir ?? dir.path,
    ...UNLIMITED,
    NODE_PROBES: "off",
    ...options.settings,
  });
  const logLines: string[] = [];
  const logger = createLogger("debug", { write: (line) => void logLines.push(line) });
  const app = await createApp({
    config,
    database: used,
    secrets: {
      jwtSecret: createSecret("a test's secret of thirty-two characters"),
      masterKey: new Uint8Array(32).fill(7),
    },
    clock,
    logger,
    telemetry: createTelemetry(logger),
    consoleDir: `${dir.path}/no-console`,
    agentDir: options.agentDir ?? AGENT_DIR,
    version: "0.0.0-test",
    jobPollSeconds: 0.5,
    ...(options.createJobs ? { createJobs: options.createJobs } : {}),
    ...(options.probeEveryMs === undefined ? {} : { probeEveryMs: options.probeEveryMs }),
    ...(options.auditor ? { auditor: options.auditor } : {}),
    ...(options.backupWorker ? { backupWorker: options.backupWorker } : {}),
  });
  const undeclared = watchRefusals(app);
  if (options.jobs) await app.startJobs();
  const baseUrl = await app.server.listen({ host: "127.0.0.1", port: 0 });

  const client = (token?: string) => createClient({ baseUrl, token: () => token });

  async function logIn(email: string, password = PASSWORD): Promise<Person> {
    const session = await client().sessions.logIn({ body: { email, password } });
    const { access_token: token, refresh_token: refreshToken, account } = session;
    invariant(refreshToken, "a log-in that asks for no cookie gets a refresh token");
    return { id: account.id, email, role: account.role, token, refreshToken, client: client(token) };
  }

  async function person(role: Role = "customer"): Promise<Person> {
    const id = createId("account");
    cheapHash ??= hash(PASSWORD, { memoryCost: 64, timeCost: 1, parallelism: 1 });
    const password_hash = await cheapHash;
    const email = `${role}-${id.slice(-8)}@example.org`;
    await insertAccount(database.db, app.dataKeys, {
      id,
      email,
      password_hash,
      role,
      state: "active",
      created_on: dayOf(clock.now()),
    });
    return logIn(email);
  }

  let admin: Promise<Person> | undefined;
  return {
    app,
    config,
    clock,
    database,
    baseUrl,
    logLines,
    client,
    logIn,
    person,
    admin() {
      admin ??= person("admin");
      return admin;
    },
    send: (path, request) => sendRaw(baseUrl + path, request),
    latestMail: (to) => latestMail(`${dir.path}/outbox`, to),
    mails: () => readOutbox(`${dir.path}/outbox`).catch(() => []),
    async close() {
      await app.close();
      if (used !== database) await used.close();
      await database.close();
      dir.remove();
      invariant(undeclared.size === 0, `routes declare what they refuse with: ${[...undeclared].join(", ")}`);
    },
  };
}

/** Collects the refusals that a route answered with and does not declare. */
function watchRefusals(app: App): ReadonlySet<string> {
  const undeclared = new Set<string>();
  const common = [...Object.values(requestErrors), ...Object.values(sentinelErrors)].map(({ code }) => code);
  const declared = new Map(
    listRoutes(api).map(({ route }) => [
      `${route.method} ${route.path.replace(/\{(\w+)\}/g, ":$1")}`,
      new Set([...common, ...route.errors.map(({ code }) => code)]),
    ]),
  );
  app.server.addHook("onSend", async (request, reply, payload) => {
    if (!String(reply.getHeader("content-type")).startsWith("application/problem+json")) return payload;
    const { code, status } = JSON.parse(String(payload));
    const route = `${request.method.replace("HEAD", "GET")} ${request.routeOptions.url}`;
    const isDeclared = declared.get(route)?.has(code) ?? common.includes(code);
    if (!isDeclared && status !== 500) undeclared.add(`${route} answers ${code}`);
    return payload;
  });
  return undeclared;
}

/** What a refused call was refused with; `ok` when it was not. Other errors are thrown on. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (error) {
    if (error instanceof ApiError) return error.code;
    throw error;
  }
}

function readTestConfig(values: Readonly<Record<string, string>>): Config {
  const source = { values: new Map(Object.entries(values)), mistakes: [] };
  const { settings: config, mistakes } = readSettings(settings, source);
  invariant(mistakes.length === 0, `the test's settings are right: ${mistakes.join("; ")}`);
  return config;
}

async function sendRaw(url: string, { method, token, headers, body }: RawRequest = {}): Promise<RawAnswer> {
  const isJson = typeof body === "object" && !(body instanceof Uint8Array);
  const response = await fetch(url, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
