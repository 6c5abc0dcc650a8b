import { sessionErrors } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import type { Telemetry } from "../../http/telemetry.ts";
import type { LogInGuard } from "../../log-in-guard.ts";
import { type Account, type Accounts, isRightPassword } from "../accounts/index.ts";
import type { SecondFactors } from "../second-factors/index.ts";

export interface LogInOptions {
  readonly database: Database;
  readonly accounts: Accounts;
  readonly secondFactors: Pick<SecondFactors, "demand">;
  readonly guard: LogInGuard;
  readonly telemetry: Telemetry;
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
  readonly code?: string;
}

/** How somebody proved who they are, for the audit trail. */
export type LogInMethod = "password" | "totp" | "recovery_code" | "passkey";

export interface Proof {
  readonly account: Account;
  readonly method: LogInMethod;
}

export function createLogIn({ database, accounts, secondFactors, guard, telemetry }: LogInOptions) {
  return {
    /**
     * Checks password and second factor. An unknown account takes as long and answers the same as a wrong
     * password, also when it comes to being locked.
     *
     * @param origin the day's pseudonym of where it comes from
     * @throws sessions.wrong_credentials, sessions.second_factor_needed, sessions.wrong_code, sessions.locked,
     *   sessions.email_unverified
     */
    async prove({ email, password, code }: Credentials, origin: string): Promise<Proof> {
      const account = await accounts.findByEmail(email);
      const attempt = { tried: email, accountId: account?.id, origin, method: "password" } as const;
      return guard.attempt(attempt, async () => {
        const isRight = await isRightPassword(account?.password_hash, password);
        telemetry.countAuthAttempt("password", isRight ? "success" : "failure");
        if (!account || !isRight) throw sessionErrors.wrongCredentials();
        if (account.state === "unverified") throw sessionErrors.emailUnverified();
        if (account.state === "suspended") throw sessionErrors.accountSuspended();
        const factor = await proveFactor(account, code);
        return { account, method: factor === "none" ? "password" : factor };
      });
    },
  };

  async function proveFactor(account: Account, code: string | undefined) {
    try {
      const factor = await database.transaction((trx) => secondFactors.demand(trx, account, code));
      if (factor !== "none") telemetry.countAuthAttempt(factor, "success");
      return factor;
    } catch (error) {
      if (code !== undefined) telemetry.countAuthAttempt("totp", "failure");
      throw error;
    }
  }
}
