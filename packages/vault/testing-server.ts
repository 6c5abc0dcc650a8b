import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { invariant } from "@securewave/foundation";
import type { TestCertificate } from "./testing-certificate.ts";
import { createTestKv } from "./testing-kv.ts";
import { createTestLeases, randomWord, type TestLease } from "./testing-leases.ts";

/** What the double lets in, and for how long. */
export interface TestAppRole {
  readonly roleId: string;
  readonly secretId: string;
  readonly ttlSeconds: number;
  readonly maxTtlSeconds?: number;
  readonly isRenewable?: boolean;
  /** Paths it may use, or their beginnings; every token may look after itself and renew leases. */
  readonly paths: readonly string[];
}

export interface TestDatabaseRole {
  /** With `{{name}}`, `{{password}}` and `{{expiration}}`, as Vault's role has them. */
  readonly creation: readonly string[];
  readonly ttlSeconds: number;
  readonly maxTtlSeconds: number;
  /** Runs one statement on the real server, as who may make roles. */
  execute(statement: string): Promise<unknown>;
}

export interface TestVaultOptions {
  readonly appRoles?: readonly TestAppRole[];
  readonly databaseRoles?: Readonly<Record<string, TestDatabaseRole>>;
  /** The namespace in which all of this is; requests without its header find nothing. */
  readonly namespace?: string;
  /** Served over https with it. */
  readonly certificate?: TestCertificate;
}

interface Token {
  readonly lease: TestLease;
  readonly accessor: string;
  readonly paths: readonly string[];
  /** Ids of what was leased in its name. */
  readonly children: Set<string>;
}

interface Fault {
  readonly status: number;
  readonly errors: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly token: string;
}

interface Answer {
  readonly status: number;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What every token may do by the policy `default`. */
const DEFAULT_PATHS = [
  "auth/token/lookup-self",
  "auth/token/renew-self",
  "auth/token/revoke-self",
  "sys/leases/",
];
/** Vault lets a login of a database live a little longer than its lease: builtin/logical/database. */
const EXPIRATION_BUFFER_MS = 5_000;

/**
 * A stand-in for Vault: the endpoints that the client uses, with Vault's paths, answers and statuses. Logins of a
 * database are made and dropped for real.
 */
export async function openTestVault(options: TestVaultOptions = {}) {
  const { appRoles = [], databaseRoles = {}, namespace = "", certificate } = options;
  const kv = createTestKv();
  const leases = createTestLeases();
  const tokens = new Map<string, Token>();
  const faults: Fault[] = [];
  /** Method and path of every request, in order. */
  const requests: string[] = [];
  const state = { isSealed: false, isSilent: false };

  function createToken(life: {
    ttlSeconds: number;
    maxTtlSeconds?: number;
    isRenewable?: boolean;
    paths: readonly string[];
  }) {
    const { ttlSeconds, maxTtlSeconds = Number.POSITIVE_INFINITY, isRenewable = true, paths } = life;
    const id = `hvs.${randomWord(24)}`;
    const children = new Set<string>();
    const ended = async () => {
      tokens.delete(id);
      for (const child of children) await leases.find(child)?.end();
    };
    const seconds = ttlSeconds === 0 ? Number.POSITIVE_INFINITY : ttlSeconds;
    const lease = leases.begin(id, { ttlSeconds: seconds, maxTtlSeconds, isRenewable }, { ended });
    tokens.set(id, { lease, accessor: randomWord(24), paths, children });
    return id;
  }

  function authOf(id: string, { lease, accessor }: Token): Answer {
    const auth = {
      client_token: id,
      accessor,
      policies: ["default"],
      token_policies: ["default"],
      metadata: { role_name: "securewave" },
      lease_duration: lease.ttl(),
      renewable: lease.isRenewable,
      entity_id: randomUUID(),
      token_type: "service",
      orphan: true,
      mfa_requirement: null,
      num_uses: 0,
    };
    return { status: 200, body: envelope({ auth }) };
  }

  function logIn({ body }: Request): Answer {
    const role = appRoles.find(
      ({ roleId, secretId }) => roleId === body.role_id && secretId === body.secret_id,
    );
    if (!role) return refuse(400, "invalid role or secret ID");
    const id = createToken(role);
    return authOf(id, required(tokens.get(id)));
  }

  function lookUp(id: string, { lease, accessor }: Token): Answer {
    const ttl = lease.ttl();
    const data = {
      accessor,
      creation_time: Math.floor(Date.now() / 1000),
      creation_ttl: ttl,
      display_name: "approle",
      entity_id: "",
      expire_time: ttl === 0 ? null : new Date(Date.now() + ttl * 1000).toISOString(),
      explicit_max_ttl: 0,
      id,
      issue_time: new Date().toISOString(),
      meta: null,
      num_uses: 0,
      orphan: true,
      path: "auth/approle/login",
      policies: ["default"],
      renewable: lease.isRenewable,
      ttl,
      type: "service",
    };
    return { status: 200, body: envelope({ data }) };
  }

  async function createDatabaseLogin(name: string, token: Token): Promise<Answer> {
    const role = databaseRoles[name];
    if (!role) return refuse(400, `unknown role: ${name}`);
    const { ttlSeconds, maxTtlSeconds, creation, execute } = role;
    const username = `v-approle-${name.slice(0, 8)}-${randomWord(20)}-${Math.floor(Date.now() / 1000)}`.slice(
      0,
      63,
    );
    const password = `${randomWord(10)}-${randomWord(9)}`;
    const expiration = (untilMs: number) => new Date(untilMs + EXPIRATION_BUFFER_MS).toISOString();
    const untilMs = Date.now() + ttlSeconds * 1000;
    for (const statement of creation) {
      const values = { name: username, password, expiration: expiration(untilMs) };
      await execute(statement.replace(/\{\{(\w+)\}\}/g, (_, key: keyof typeof values) => values[key]));
    }
    const id = `database/creds/${name}/${randomWord(24)}`;
    const life = { ttlSeconds, maxTtlSeconds, isRenewable: true };
    const lease = leases.begin(id, life, {
      renewed: async (until) =>
        void (await execute(`alter role "${username}" valid until '${expiration(until)}'`)),
      async ended() {
        token.children.delete(id);
        await execute(`drop role if exists "${username}"`);
      },
    });
    token.children.add(id);
    const body = { lease_id: id, lease_duration: lease.ttl(), renewable: true, data: { password, username } };
    return { status: 200, body: envelope(body) };
  }

  async function renewLease(body: Request["body"]): Promise<Answer> {
    const lease = leases.find(String(body.lease_id));
    if (!lease) return refuse(400, "lease not found");
    if (!lease.isRenewable) return refuse(400, "lease is not renewable");
    const lease_duration = await lease.renew(Number(body.increment) || undefined);
    return { status: 200, body: envelope({ lease_id: lease.id, renewable: true, lease_duration }) };
  }

  type Act = (request: Request, token: Token) => Answer | Promise<Answer>;
  const acts: Readonly<Record<string, Act>> = {
    "auth/token/lookup-self": (request, token) => lookUp(request.token, token),
    async "auth/token/renew-self"(request, token) {
      if (!token.lease.isRenewable) return refuse(400, "lease is not renewable");
      await token.lease.renew(Number.parseInt(String(request.body.increment), 10) || undefined);
      return authOf(request.token, token);
    },
    async "auth/token/revoke-self"(_, token) {
      await token.lease.end();
      return { status: 204 };
    },
    "sys/leases/renew": ({ body }) => renewLease(body),
    async "sys/leases/revoke"({ body }) {
      await leases.find(String(body.lease_id))?.end();
      return { status: 204 };
    },
  };

  function readKv({ path, query }: Request): Answer {
    const found = kv.read(path, Number(query.get("version") ?? 0));
    if (!found) return refuse(404);
    return { status: found.status, body: envelope({ data: found.data, mount_type: "kv" }) };
  }

  function answer(request: Request): Answer | Promise<Answer> {
    const { method, path } = request;
    if (path === "auth/approle/login" && method !== "GET") return logIn(request);
    const token = tokens.get(request.token);
    if (!token) return refuse(403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n");
    if (![...DEFAULT_PATHS, ...token.paths].some((allowed) => path.startsWith(allowed)))
      return refuse(403, "1 error occurred:\n\t* permission denied\n\n");
    const role = /^database\/creds\/(.+)$/.exec(path)?.[1];
    if (role !== undefined) return createDatabaseLogin(role, token);
    if (/^secret\/data\/./.test(path)) return readKv(request);
    return acts[path]?.(request, token) ?? refuse(404, noRoute(path));
  }

  async function answered(request: Request): Promise<Answer> {
    try {
      return await answer(request);
    } catch {
      return refuse(500, "internal error");
    }
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams: query } = new URL(incoming.url ?? "/", "http://vault");
    const path = decodeURIComponent(pathname.replace(/^\/v1\//, ""));
    const method = incoming.method ?? "GET";
    requests.push(`${method} ${path}`);
    let text = "";
    for await (const chunk of incoming) text += String(chunk);
    if (state.isSilent) return;
    const send = ({ status, body, headers }: Answer) => {
      const common = { "cache-control": "no-store", "content-type": "application/json" };
      response.writeHead(status, { ...common, ...headers });
      response.end(body === undefined ? undefined : `${JSON.stringify(body)}\n`);
    };
    const fault = faults.shift();
    if (fault)
      return send({ status: fault.status, body: { errors: fault.errors }, headers: fault.headers ?? {} });
    if (state.isSealed) return send(refuse(503, "Vault is sealed"));
    if (String(incoming.headers["x-vault-namespace"] ?? "").replace(/\/$/, "") !== namespace)
      return send(refuse(404, noRoute(path)));
    const token = String(incoming.headers["x-vault-token"] ?? "");
    const body = text === "" ? {} : JSON.parse(text);
    send(await answered({ method, path, query, body, token }));
  }

  const listener = (incoming: IncomingMessage, response: ServerResponse) => void handle(incoming, response);
  const server = certificate
    ? createTlsServer({ cert: certificate.certificate, key: certificate.key }, listener)
    : createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  invariant(typeof address === "object" && address !== null, "the server listens on a port");

  return {
    address: `${certificate ? "https" : "http"}://127.0.0.1:${address.port}`,
    requests: requests as readonly string[],
    kv,
    createToken,
    /** Ends a token before its time, and with it what was leased in its name. */
    revokeToken: async (id: string) => tokens.get(id)?.lease.end(),
    /** How many tokens are valid. */
    tokenCount: () => tokens.size,
    /** Answers the next requests so. */
    failNext(times: number, status: number, error: string, headers: Readonly<Record<string, string>> = {}) {
      for (let number = 0; number < times; number++)
        faults.push({ status, errors: error === "" ? [] : [error], headers });
    },
    seal: (isSealed: boolean) => void Object.assign(state, { isSealed }),
    /** Takes requests and never answers. */
    silence: (isSilent: boolean) => void Object.assign(state, { isSilent }),
    async close() {
      await leases.endAll();
      server.close();
      server.closeAllConnections();
    },
  };
}

export type TestVault = Awaited<ReturnType<typeof openTestVault>>;

/** The form of every answer: https://developer.hashicorp.com/vault/api-docs/auth/token#sample-response-13 */
function envelope(parts: object): object {
  return {
    request_id: randomUUID(),
    lease_id: "",
    renewable: false,
    lease_duration: 0,
    data: null,
    wrap_info: null,
    warnings: null,
    auth: null,
    mount_type: "",
    ...parts,
  };
}

function refuse(status: number, ...errors: string[]): Answer {
  return { status, body: { errors } };
}

const noRoute = (path: string) => `no handler for route "${path}". route entry not found.`;

function required<Value>(value: Value | undefined): Value {
  invariant(value !== undefined, "it was just made");
  return value;
}
