import { AsyncLocalStorage } from "node:async_hooks";
import pg from "pg";
import type { Login, ServiceLogin } from "./roles/roles.ts";
import { SERVICE_LOGINS } from "./roles/roles.ts";

/** How each login connects, where that differs from the owner: another URL, or another user on the same socket. */
export type Logins = Readonly<Partial<Record<ServiceLogin, pg.ClientConfig>>>;

const IDLE_CONNECTION_MS = 60_000;
/** The owner is needed at the start and for the day's rewriting, so its connections go soon. */
const OWNER_IDLE_MS = 5_000;
const OWNER_MAX = 4;

const presentLogin = new AsyncLocalStorage<Login>();

/** Does work, and what it awaits or brings about later, under a login. */
export function asLogin<Result>(login: Login, work: () => Result): Result {
  return presentLogin.run(login, work);
}

/**
 * Pools of connections, one for each login. A pool connects when it is first asked.
 *
 * @param poolMax connections of requests; jobs and VPN servers have at most half as many each
 */
export function openPools(config: pg.PoolConfig, poolMax: number, logins: Logins = {}) {
  const separate = SERVICE_LOGINS.filter((login) => logins[login] !== undefined);
  const isOwnerApart = separate.length === SERVICE_LOGINS.length;
  const owner = openPool({
    ...config,
    max: isOwnerApart ? Math.min(OWNER_MAX, poolMax) : poolMax,
    idleTimeoutMillis: isOwnerApart ? OWNER_IDLE_MS : IDLE_CONNECTION_MS,
  });
  const ofLogin = new Map<Login, pg.Pool>(
    separate.map((login) => {
      const max = login === "api" ? poolMax : Math.max(2, Math.ceil(poolMax / 2));
      const own = { max, idleTimeoutMillis: IDLE_CONNECTION_MS, application_name: `securewave ${login}` };
      return [login, openPool({ ...config, ...logins[login], ...own })];
    }),
  );
  const all = [owner, ...ofLogin.values()];
  const sum = (count: (pool: pg.Pool) => number) => all.reduce((total, pool) => total + count(pool), 0);
  const ofRequests = ofLogin.get("api") ?? owner;

  return {
    owner,
    all: all as readonly pg.Pool[],
    /** The pool of the login under which the caller works; of requests, where it said nothing. */
    present: (): pg.Pool => ofLogin.get(presentLogin.getStore() ?? "api") ?? owner,
    stats: () => ({
      open: sum((pool) => pool.totalCount),
      idle: sum((pool) => pool.idleCount),
      waiting: sum((pool) => pool.waitingCount),
      requests: { busy: ofRequests.totalCount - ofRequests.idleCount, max: ofRequests.options.max },
    }),
    async end(): Promise<void> {
      await Promise.all(all.map((pool) => pool.end()));
    },
  };
}

function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(config);
  // A lost connection shows in the query that uses it; the events alone would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}
