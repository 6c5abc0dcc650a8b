import { accountErrors } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, dayOf, HOUR_MS } from "@securewave/foundation";
import { hashToken } from "@securewave/foundation/secret";
import type { Jobs } from "@securewave/jobs";
import type { Account, Accounts } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import type { Mail } from "../mail/index.ts";
import type { SecondFactors } from "../second-factors/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import { resetLetter } from "./letters.ts";
import { createResetToken, isResetTokenFresh } from "./reset-token.ts";

export interface PasswordsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly jobs: Jobs;
  readonly mail: Mail;
  readonly settings: SettingsStore;
  readonly accounts: Accounts;
  readonly secondFactors: Pick<SecondFactors, "demand" | "isOn">;
  readonly audit: Pick<Audit, "record">;
  readonly publicUrl: string;
}

export type Passwords = ReturnType<typeof createPasswords>;

const PURPOSE = "reset_password";
const LINK_MS = HOUR_MS;
const RESET_MAIL_JOB = "password-reset-mail";

export function createPasswords(options: PasswordsOptions) {
  const { database, clock, jobs, mail, settings, accounts, secondFactors, audit, publicUrl } = options;
  const { db } = database;
  const today = () => dayOf(clock.now());

  jobs.define<{ accountId: string | null }>(RESET_MAIL_JOB, async ({ accountId }) => {
    const account = accountId === null ? undefined : await accounts.find(accountId);
    if (account?.state !== "active") return;
    const untilMs = clock.now() + LINK_MS;
    const token = createResetToken(Math.floor(untilMs / 1000));
    const { service_name: name } = await settings.read();
    const letter = resetLetter(account.email, name, `${publicUrl}/reset#token=${token}`);
    await accounts.sendLink(
      { hash: hashToken(token), purpose: PURPOSE, accountId: account.id, untilMs },
      () => mail.deliver(letter),
    );
  });

  /** @throws accounts.link_invalid */
  async function accountOf(token: string): Promise<Account> {
    const hash = isResetTokenFresh(token, clock.now()) ? hashToken(token) : undefined;
    const account = hash && (await accounts.findByToken(db, hash, PURPOSE, today()));
    if (account?.state !== "active") throw accountErrors.linkInvalid();
    return account;
  }

  return {
    /** Sends a link. For an unknown address, or asked too often, the same is done, with nobody to send it to. */
    async requestReset(email: string): Promise<void> {
      const isAdmitted = await accounts.admitLetter(email, "reset");
      const account = await accounts.findByEmail(email);
      await jobs.send(RESET_MAIL_JOB, { accountId: isAdmitted && account ? account.id : null });
    },

    /** @throws accounts.link_invalid */
    async check(token: string): Promise<{ email: string; needs_code: boolean }> {
      const { id, email } = await accountOf(token);
      return { email, needs_code: await secondFactors.isOn(id) };
    },

    accountOf,
    needsCode: secondFactors.isOn,

    /**
     * Sets a new password by a link, once; every log-in ends.
     *
     * @throws accounts.link_invalid, accounts.weak_password, sessions.second_factor_needed, sessions.wrong_code
     */
    async reset(token: string, password: string, code: string | undefined): Promise<void> {
      const account = await accountOf(token);
      const hash = await accounts.hashStrong(password, account.email);
      const announce = await database.transaction(async (trx) => {
        await secondFactors.demand(trx, account, code);
        if (!(await accounts.takeToken(trx, hashToken(token), PURPOSE))) throw accountErrors.linkInvalid();
        await audit.record(trx, { kind: "password_reset", actor: account.id, subject: account.id });
        await accounts.notify(trx, account.id, "password_changed");
        return accounts.setPassword(trx, account.id, hash);
      });
      announce();
    },

    /**
     * Sets a new password for somebody who has proved the present one; the other log-ins end.
     *
     * @throws accounts.weak_password
     */
    async change(account: Account, password: string, currentSessionId: string): Promise<void> {
      const hash = await accounts.hashStrong(password, account.email);
      const announce = await database.transaction(async (trx) => {
        await audit.record(trx, { kind: "password_changed", actor: account.id, subject: account.id });
        await accounts.notify(trx, account.id, "password_changed");
        return accounts.setPassword(trx, account.id, hash, currentSessionId);
      });
      announce();
    },
  };
}
