import { randomBytes } from "node:crypto";

/** Something that ends at a time unless it is renewed; nothing outlives its longest life. */
export interface TestLease {
  readonly id: string;
  readonly isRenewable: boolean;
  /** Seconds that are left. */
  ttl(): number;
  /** @returns seconds that are left after it */
  renew(increment: number | undefined): Promise<number>;
  end(): Promise<void>;
}

interface Life {
  readonly ttlSeconds: number;
  readonly maxTtlSeconds: number;
  readonly isRenewable: boolean;
}

/** Tokens and leases of the double, which end on time. */
export function createTestLeases() {
  const leases = new Map<string, TestLease>();

  function begin(
    id: string,
    { ttlSeconds, maxTtlSeconds, isRenewable }: Life,
    on: { renewed?(untilMs: number): Promise<void>; ended(): Promise<void> },
  ): TestLease {
    const lastMs = Date.now() + maxTtlSeconds * 1000;
    let untilMs = Date.now() + ttlSeconds * 1000;
    let timer: NodeJS.Timeout | undefined;
    const arm = () => {
      clearTimeout(timer);
      if (Number.isFinite(untilMs)) timer = setTimeout(() => void end(), untilMs - Date.now()).unref();
    };
    const ttl = () => (Number.isFinite(untilMs) ? Math.max(Math.round((untilMs - Date.now()) / 1000), 0) : 0);
    async function end(): Promise<void> {
      clearTimeout(timer);
      if (leases.delete(id)) await on.ended();
    }
    const lease: TestLease = {
      id,
      isRenewable,
      ttl,
      async renew(increment = ttlSeconds) {
        untilMs = Math.min(Date.now() + increment * 1000, lastMs);
        arm();
        await on.renewed?.(untilMs);
        return ttl();
      },
      end,
    };
    leases.set(id, lease);
    arm();
    return lease;
  }

  return {
    begin,
    find: (id: string) => leases.get(id),
    async endAll(): Promise<void> {
      for (const lease of [...leases.values()]) await lease.end();
    },
  };
}

/** As Vault writes such parts of ids. */
export function randomWord(length: number): string {
  return randomBytes(length * 2)
    .toString("base64")
    .replace(/[^A-Za-z0-9]/g, "")
    .slice(0, length);
}
