import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";

const LOOK_AGAIN_MS = 20;

/** A login of PostgreSQL. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** A login that changes while the database is open, as one that Vault leases. */
export interface CredentialsSource {
  current(): Credentials;
  /**
   * @param changed to be called when `current` has changed, while the former login still works; what it returns
   *   resolves when no connection uses the former one any more
   */
  onChange(changed: () => Promise<void>): void;
}

/** Puts a login into the URL of a database. */
export function urlWith(url: string, { user, password }: Credentials): string {
  const changed = new URL(url);
  changed.username = encodeURIComponent(user);
  changed.password = encodeURIComponent(password);
  return changed.href;
}

/**
 * Moves a pool to another login: connections that are made from here on use it, idle ones of the former login
 * are closed, and those at work close when they are given back.
 *
 * @returns a function that resolves when no connection of another login than `user` is left
 */
export function createDrain(pool: pg.Pool, userOf: () => string, connectTimeoutMs: number) {
  const clients = new Set<pg.PoolClient>();
  pool.on("connect", (client) => clients.add(client));
  pool.on("remove", (client) => clients.delete(client));
  const isFormer = (client: pg.PoolClient) => client.user !== userOf();
  // Ended before it is idle again, it is not handed to the next who waits.
  pool.on("release", (_error, client) => {
    if (isFormer(client)) client.end().catch(() => {});
  });

  /** What is idle can be closed by nobody but who has taken it. */
  async function closeIdle(): Promise<void> {
    const taken = await Promise.allSettled(Array.from({ length: pool.idleCount }, () => pool.connect()));
    for (const each of taken) if (each.status === "fulfilled") each.value.release();
  }

  return async (): Promise<void> => {
    const connectedUntilMs = performance.now() + connectTimeoutMs;
    let mayConnectAsFormer = pool.totalCount > clients.size;
    await closeIdle();
    while (!pool.ended) {
      if (pool.totalCount === clients.size || performance.now() > connectedUntilMs)
        mayConnectAsFormer = false;
      if (!mayConnectAsFormer && ![...clients].some(isFormer)) return;
      await sleep(LOOK_AGAIN_MS);
    }
  };
}
