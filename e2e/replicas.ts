import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createClient } from "@securewave/contracts";
import { eventually } from "@securewave/testing";
import pg from "pg";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";

/** Whoever calls from the test's own machine is believed where a request comes from. */
const PROXY = "127.0.0.1";

export interface SharedDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** Makes an empty database beside those of the other tests; the replicas bring it up to date themselves. */
export async function createSharedDatabase(): Promise<SharedDatabase> {
  const serverUrl = process.env.TEST_DATABASE_URL;
  if (serverUrl === undefined) throw new Error("vitest's globalSetup has started no PostgreSQL");
  const name = `securewave_replicas_${randomBytes(6).toString("hex")}`;
  await runOn(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => runOn(serverUrl, `drop database if exists ${name} with (force)`) };
}

/** Settings that give each kind of work a login of its own, by which the tests' server knows it. */
export function roleUrls(databaseUrl: string): Record<string, string> {
  const urlOf = (role: string) => {
    const url = new URL(databaseUrl);
    url.username = `securewave_${role}`;
    url.password = process.env.TEST_DATABASE_ROLES_PASSWORD ?? "";
    return url.href;
  };
  const roles = ["api", "worker", "ingress"];
  return Object.fromEntries(roles.map((role) => [`DATABASE_${role.toUpperCase()}_URL`, urlOf(role)]));
}

async function runOn(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

export interface ReplicasOptions {
  /** Each replica has a folder of its own below it. */
  readonly dir: string;
  readonly databaseUrl: string;
  /** Without it each limits for itself. */
  readonly redisUrl?: string;
  readonly namespace?: string;
  /** Lifts the limits on how often one may ask. */
  readonly hasNoLimits?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** In what one replica differs from the others. */
export interface Release {
  /** Where its program lies; this build's without it. */
  readonly dir?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Gives replicas of one service what they must share: database, Redis, secrets, public name and proxy.
 *
 * @returns starts one, by a name of its own
 */
export function createReplicaStarter({ dir, databaseUrl, redisUrl, env, ...where }: ReplicasOptions) {
  const shared = {
    DATABASE_URL: databaseUrl,
    DATABASE_POOL_MAX: "5",
    ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
    DATA_KEY_FILE: join(dir, "never-in-backups", "data.key"),
    JWT_SECRET: randomBytes(32).toString("hex"),
    MASTER_KEY: randomBytes(32).toString("base64"),
    PUBLIC_URL: "http://vpn.example.org",
    TRUSTED_PROXIES: PROXY,
    ...env,
  };
  return (name: string, port?: number, release: Release = {}): Promise<ControlPlane> =>
    startControlPlane({
      dir,
      ...where,
      ...(port !== undefined && { port }),
      ...(release.dir !== undefined && { releaseDir: release.dir }),
      env: { ...shared, DATA_DIR: join(dir, name), ...release.env },
    });
}

/**
 * Waits until all replicas are well, or not.
 *
 * @returns what each says of Redis
 */
export function waitForHealth(
  replicas: readonly ControlPlane[],
  status: "healthy" | "degraded",
): Promise<string[]> {
  const look = async (url: string) => {
    const health = await createClient({ baseUrl: url }).service.health();
    if (health.status !== status) throw new Error(`a replica is ${health.status}, and not ${status}`);
    return health.checks.redis;
  };
  return Promise.all(replicas.map(({ url }) => eventually(() => look(url), { timeoutMs: 60_000 })));
}
