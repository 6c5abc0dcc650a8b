import { accountErrors } from "@securewave/contracts";
import type { Database, Tables } from "@securewave/database";
import type { Kysely } from "kysely";
import type { LogInGuard } from "./log-in-guard.ts";
import { type Account, type Accounts, isRightPassword } from "./modules/accounts/index.ts";

export interface ReauthenticateOptions {
  readonly database: Database;
  readonly accounts: Accounts;
  /** Uses a code up where the account has a second factor. */
  readonly demandFactor: (trx: Kysely<Tables>, account: Account, code?: string) => Promise<unknown>;
  readonly guard: LogInGuard;
}

/** Asks somebody who is logged in to prove it once more, before something that a thief of the log-in must not do. */
export type Reauthenticate = ReturnType<typeof createReauthenticate>;

export function createReauthenticate({ database, accounts, demandFactor, guard }: ReauthenticateOptions) {
  return {
    /**
     * Checks the password, and uses a code up where a second factor is on.
     *
     * @param origin the day's pseudonym of where it comes from
     * @throws accounts.wrong_password, sessions.second_factor_needed, sessions.wrong_code, sessions.locked
     */
    async prove(
      accountId: string,
      proof: { readonly password: string; readonly code?: string },
      origin: string,
    ): Promise<Account> {
      const account = await accounts.get(accountId);
      return guard.attempt({ tried: account.email, accountId, origin, method: "password" }, async () => {
        if (!(await isRightPassword(account.password_hash, proof.password)))
          throw accountErrors.wrongPassword();
        await database.transaction((trx) => demandFactor(trx, account, proof.code));
        return account;
      });
    },

    /**
     * Does something that takes a code, and counts a wrong one.
     *
     * @throws sessions.wrong_code, sessions.locked
     */
    async byCode<Result>(accountId: string, origin: string, act: () => Promise<Result>): Promise<Result> {
      const { email } = await accounts.get(accountId);
      return guard.attempt({ tried: email, accountId, origin, method: "totp" }, act);
    },
  };
}
