import { accountErrors, sessionErrors } from "@securewave/contracts";
import { RefusalError } from "@securewave/foundation";
import type { LogInGuard } from "./log-in-guard.ts";
import { type Account, type Accounts, isRightPassword } from "./modules/accounts/index.ts";

/** Asks somebody who is logged in to prove it once more, before something that a thief of the log-in must not do. */
export type Reauthenticate = ReturnType<typeof createReauthenticate>;

export function createReauthenticate({ accounts, guard }: { accounts: Accounts; guard: LogInGuard }) {
  return {
    /**
     * @param isAll false where a code is asked too: failures stay counted until it is right
     * @throws accounts.wrong_password, sessions.locked
     */
    async byPassword(
      accountId: string,
      password: string,
      origin: string,
      { isAll = true } = {},
    ): Promise<Account> {
      const account = await accounts.get(accountId);
      await guard.admit(account.email, origin, "password");
      if (await isRightPassword(account.password_hash, password)) {
        if (isAll) await guard.succeeded(account.email, origin);
        return account;
      }
      await guard.refused({ email: account.email, accountId, origin, method: "password" });
      throw accountErrors.wrongPassword();
    },

    /**
     * Does something that takes a code, and counts a wrong one.
     *
     * @throws sessions.wrong_code, sessions.locked
     */
    async byCode<Result>(accountId: string, origin: string, act: () => Promise<Result>): Promise<Result> {
      const { email } = await accounts.get(accountId);
      await guard.admit(email, origin, "totp");
      try {
        const result = await act();
        await guard.succeeded(email, origin);
        return result;
      } catch (error) {
        if (error instanceof RefusalError && error.code === sessionErrors.wrongCode.code)
          await guard.refused({ email, accountId, origin, method: "totp" });
        throw error;
      }
    },
  };
}
