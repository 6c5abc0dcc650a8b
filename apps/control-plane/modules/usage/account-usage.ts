import type { Usage, UsageForStaff } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import type { Clock } from "@securewave/foundation";
import type { Account } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import type { Plan } from "../plans/index.ts";
import { judge, monthOf, monthText, percentOf, resetDayOf } from "./quota.ts";

export interface AccountUsageOptions {
  readonly clock: Clock;
  readonly database: Database;
  readonly audit: Pick<Audit, "record">;
  readonly planOf: (accountId: string) => Plan;
  /** Bytes of this month (UTC), both directions, from memory. */
  readonly used: (accountId: string) => number;
  readonly accounts: { get(id: string): Promise<Pick<Account, "id">> };
}

export type AccountUsage = ReturnType<typeof createAccountUsage>;

const GIB = 2 ** 30;

/** An account's use of the month as its owner and as staff see it. */
export function createAccountUsage(options: AccountUsageOptions) {
  const { clock, database, audit, planOf, used, accounts } = options;

  function own(accountId: string): Usage {
    const plan = planOf(accountId);
    const month = monthOf(clock.now());
    const usedBytes = used(accountId);
    const { level, restriction } = judge({ month, usedBytes, told: 0 }, plan, month);
    return {
      month: monthText(month),
      used_bytes: usedBytes,
      quota_bytes: plan.quota_bytes,
      percent: percentOf(usedBytes, plan.quota_bytes),
      level,
      restriction,
      throttle_kbit_per_second: restriction === "throttled" ? plan.throttle_kbit_per_second : null,
      resets_on: resetDayOf(month),
    };
  }

  return {
    own,

    /**
     * The same coarsely: to the byte it would tell, asked twice, whether somebody is using it at that moment.
     *
     * @param actor whose looking is written into the audit trail
     * @throws accounts.not_found
     */
    async forStaff(accountId: string, actor: string): Promise<UsageForStaff> {
      await accounts.get(accountId);
      await database.transaction((trx) =>
        audit.record(trx, { kind: "account_usage_read", actor, subject: accountId }),
      );
      const { month, used_bytes, quota_bytes, level, restriction, resets_on } = own(accountId);
      return {
        month,
        used_gib: Math.round(used_bytes / GIB),
        quota_gib: quota_bytes === null ? null : Math.round(quota_bytes / GIB),
        level,
        restriction,
        resets_on,
      };
    },
  };
}
