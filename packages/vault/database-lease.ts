import { createAlarm, nextTryMs, renewalMs } from "./alarm.ts";
import { vaultErrors } from "./errors.ts";
import { isRefusal, type VaultSession } from "./session.ts";
import { isObject } from "./transport.ts";

/** A login of a database that Vault made for this process. */
export interface DatabaseLease {
  /** Inspecting or logging the lease shows nothing of it. */
  current(): { readonly user: string; readonly password: string };
  /**
   * @param changed called when `current` has changed, while the former login still works; what it returns resolves
   *   when nobody uses the former one, which is then given back
   */
  onChange(changed: () => Promise<void>): void;
  /** Gives the login back: Vault drops it. */
  close(): Promise<void>;
}

interface Lease {
  readonly id: string;
  readonly user: string;
  readonly password: string;
  readonly isRenewable: boolean;
  readonly lifeMs: number;
  readonly untilMs: number;
}

/** A lease renewed for less than this part of its first life is near its longest one: another login is needed. */
const WORTHWHILE = 1 / 2;

/**
 * Leases a login and keeps it: renewed before it ends, and replaced by another where it cannot be renewed.
 *
 * @param path `database/creds/<role>`
 * @see https://developer.hashicorp.com/vault/api-docs/secret/databases#generate-credentials
 * @throws vault.denied, vault.not_found, and what `VaultSession.call` throws
 */
export async function leaseDatabase(
  session: VaultSession,
  path: string,
  onTrouble: (error: unknown) => void,
): Promise<DatabaseLease> {
  const listeners: (() => Promise<void>)[] = [];
  const alarm = createAlarm(() => void keep());
  let isClosed = false;
  let lease = await take(session, path);
  let running: Promise<void> | undefined;
  alarm.set(renewalMs(lease.lifeMs));
  // What was leased under the former token ends with it.
  session.onReplaced(() => void keep(true));

  /** One thing at a time: a replacement that is asked for meanwhile follows. */
  function keep(mustReplace = false): Promise<void> {
    const before = running;
    running = (async () => {
      await before;
      if (isClosed) return;
      try {
        if (mustReplace || !lease.isRenewable || !(await renew())) await replace();
      } catch (error) {
        onTrouble(error);
        if (!isClosed) alarm.set(nextTryMs(lease.untilMs - performance.now()));
      }
    })();
    return running;
  }

  /** @returns whether the lease goes on for long enough */
  async function renew(): Promise<boolean> {
    const body = { lease_id: lease.id, increment: Math.ceil(lease.lifeMs / 1000) };
    try {
      const answer = await session.call({ method: "POST", path: "sys/leases/renew", body });
      if (typeof answer.lease_duration !== "number") throw vaultErrors.unexpected();
      const leftMs = answer.lease_duration * 1000;
      lease = { ...lease, untilMs: performance.now() + leftMs, isRenewable: answer.renewable === true };
      if (leftMs < lease.lifeMs * WORTHWHILE) return false;
      alarm.set(renewalMs(leftMs));
      return true;
    } catch (error) {
      if (isRefusal(error)) return false;
      throw error;
    }
  }

  async function replace(): Promise<void> {
    const former = lease;
    lease = await take(session, path);
    alarm.set(renewalMs(lease.lifeMs));
    // Not awaited: long work under the former login must not keep the new one from being renewed.
    void Promise.all(listeners.map((changed) => changed()))
      .then(() => giveBack(former))
      .catch(onTrouble);
  }

  async function giveBack({ id }: Lease): Promise<void> {
    await session
      .call({ method: "POST", path: "sys/leases/revoke", body: { lease_id: id, sync: true } })
      .catch((error: unknown) => {
        if (!isRefusal(error)) throw error; // a lease that is gone already needs nothing
      });
  }

  return {
    current: () => ({ user: lease.user, password: lease.password }),
    onChange: (changed) => void listeners.push(changed),
    async close() {
      isClosed = true;
      alarm.stop();
      await running;
      await giveBack(lease).catch(onTrouble);
    },
  };
}

async function take(session: VaultSession, path: string): Promise<Lease> {
  const { lease_id, lease_duration, renewable, data } = await session.call({ method: "GET", path });
  if (
    typeof lease_id !== "string" ||
    typeof lease_duration !== "number" ||
    !isObject(data) ||
    typeof data.username !== "string" ||
    typeof data.password !== "string"
  ) {
    throw vaultErrors.unexpected({ internal: `GET ${path}: no login in the answer` });
  }
  const lifeMs = lease_duration * 1000;
  return {
    id: lease_id,
    user: data.username,
    password: data.password,
    isRenewable: renewable === true,
    lifeMs,
    untilMs: performance.now() + lifeMs,
  };
}
