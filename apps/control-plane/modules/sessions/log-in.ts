import { sessionErrors } from "@securewave/contracts";
import type { Tables } from "@securewave/database";
import type { Kysely } from "kysely";
import type { Telemetry } from "../../http/telemetry.ts";
import type { LogInGuard } from "../../log-in-guard.ts";
import { type Account, type Accounts, isRightPassword } from "../accounts/index.ts";
import type { SecondFactors } from "../second-factors/index.ts";

export interface LogInOptions {
  readonly db: Kysely<Tables>;
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

export function createLogIn({ db, accounts, secondFactors, guard, telemetry }: LogInOptions) {
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
      await guard.admit(email, origin, "password");
      const account = await accounts.findByEmail(email);
      const isRight = await isRightPassword(account?.password_hash, password);
      telemetry.countAuthAttempt("password", isRight ? "success" : "failure");
      if (!account || !isRight) {
        await guard.refused({ email, accountId: account?.id, origin, method: "password" });
        throw sessionErrors.wrongCredentials();
      }
      if (account.state === "unverified") throw sessionErrors.emailUnverified();
      if (account.state === "suspended") throw sessionErrors.accountSuspended();
      const factor = await proveFactor(account, code, origin);
      await guard.succeeded(email, origin);
      return { account, method: factor === "none" ? "password" : factor };
    },
  };

  async function proveFactor(account: Account, code: string | undefined, origin: string) {
    try {
      const factor = await secondFactors.demand(db, account, code);
      if (factor !== "none") telemetry.countAuthAttempt(factor, "success");
      return factor;
    } catch (error) {
      if (code === undefined) throw error;
      telemetry.countAuthAttempt("totp", "failure");
      await guard.refused({ email: account.email, accountId: account.id, origin, method: "totp" });
      throw error;
    }
  }
}
