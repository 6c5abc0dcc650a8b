import { accountErrors, type Role, serviceErrors } from "@securewave/contracts";
import { type Database, isUniqueViolation, type Tables } from "@securewave/database";
import { type Clock, createId, DAY_MS, dayOf, idPattern } from "@securewave/foundation";
import { createToken, hashToken } from "@securewave/foundation/secret";
import type { Jobs } from "@securewave/jobs";
import { openWeakPasswords, type WeakPasswords } from "@securewave/weak-passwords";
import type { Kysely } from "kysely";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import type { Audit } from "../audit/index.ts";
import { type DataKeys, PLACES } from "../data-keys/index.ts";
import { createLetterLimits, type LetterKind, type LetterLimits, type Mail } from "../mail/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import {
  type Account,
  type AccountRow,
  normalizeEmail,
  openAccount,
  sealAccount,
  viewOf,
} from "./account.ts";
import { verificationLetter, welcomeBackLetter } from "./letters.ts";
import { type NewLink, sendLink } from "./links.ts";
import { createNotify } from "./notices.ts";
import { hashPassword } from "./password.ts";
import * as store from "./store.ts";

export interface AccountsOptions {
  readonly database: Database;
  readonly dataKeys: DataKeys;
  readonly clock: Clock;
  readonly jobs: Jobs;
  readonly mail: Mail;
  readonly settings: SettingsStore;
  readonly audit: Pick<Audit, "record">;
  readonly publicUrl: string;
  /** Gives a new account its row of the usage ledger; without it the account gets one with the next rewriting. */
  readonly insertLedgerRow?: (trx: Kysely<Tables>, accountId: string) => Promise<void>;
  /** Notes what an account that is not confirmed agreed to; does as much for one that there is not. */
  readonly noteAgreement?: (
    trx: Kysely<Tables>,
    accountId: string,
    policyVersion: string | undefined,
  ) => Promise<void>;
  /** By default those that stand on the shipped list. */
  readonly weakPasswords?: Pick<WeakPasswords, "isWeak">;
  /** By default those of this process alone. */
  readonly letterLimits?: LetterLimits;
}

/** What other modules do when an account's role or state changes; within the same transaction. */
export type AccountChanged = (trx: Kysely<Tables>, account: Account) => Promise<() => void>;

/**
 * What other modules do when an account gets a new password; within the same transaction.
 *
 * @param exceptSessionId the log-in by which it was set, which goes on
 * @returns what is to be done once it is committed
 */
export type PasswordSet = (
  trx: Kysely<Tables>,
  accountId: string,
  exceptSessionId: string | undefined,
) => Promise<() => void>;

/**
 * What other modules do before an account is erased, beyond what the tables do by themselves; within the same
 * transaction. The account may be one that cannot be opened any more.
 */
export type AccountErased = (trx: Kysely<Tables>, accountId: string) => Promise<() => void>;

export type Accounts = ReturnType<typeof createAccounts>;

type NewAccount = Omit<Account, "devices_active" | "plan_id">;

const NUMBER_TRIES = 5;
const LINK_DAYS = 1;
const ACCOUNT_MAIL_JOB = "account-mail";
const ACCOUNT_ID = new RegExp(idPattern("account"));

export function createAccounts(options: AccountsOptions) {
  const {
    database,
    dataKeys,
    clock,
    jobs,
    mail,
    settings,
    audit,
    publicUrl,
    insertLedgerRow,
    noteAgreement,
  } = options;
  const { weakPasswords = openWeakPasswords(), letterLimits = createLetterLimits({ clock }) } = options;
  const { db } = database;
  const reactions: AccountChanged[] = [];
  const passwordReactions: PasswordSet[] = [];
  const eraseReactions: AccountErased[] = [];
  const open = (row: AccountRow | undefined) => row && openAccount(dataKeys, row);
  const findAccount = async (id: string) => open(await store.findAccount(db, id));
  const emailIndexOf = (email: string) => dataKeys.emailIndex(normalizeEmail(email));
  const notify = createNotify({ jobs, mail, settings, publicUrl, findAccount });
  const admitLetter = (email: string, kind: LetterKind) => letterLimits.admit(normalizeEmail(email), kind);

  function accountOf(email: string, passwordHash: string, role: Role, state: Account["state"]) {
    const created_on = dayOf(clock.now());
    return {
      id: createId("account"),
      number: dataKeys.newNumber(),
      email: normalizeEmail(email),
      password_hash: passwordHash,
      role,
      state,
      created_on,
    };
  }

  function demandStrong(password: string, email: string): void {
    if (weakPasswords.isWeak(password, email))
      throw accountErrors.weakPassword({ issues: [{ at: "/password", message: "is too easy to guess" }] });
  }

  /** Once in a while the number that is drawn belongs to somebody: then all is done again with another. */
  async function withNumber<Result>(
    account: NewAccount,
    work: (trx: Kysely<Tables>, account: NewAccount) => Promise<Result>,
  ): Promise<Result> {
    for (let tries = 1; ; tries++) {
      try {
        return await database.transaction((trx) => work(trx, { ...account, number: dataKeys.newNumber() }));
      } catch (error) {
        if (tries === NUMBER_TRIES || !isUniqueViolation(error, "accounts_number_key")) throw error;
      }
    }
  }

  async function insert(trx: Kysely<Tables>, account: NewAccount): Promise<Account> {
    const row = await store.insertAccount(trx, sealAccount(dataKeys, account));
    await insertLedgerRow?.(trx, row.id);
    return { ...account, devices_active: row.devices_active, plan_id: row.plan_id };
  }

  /** Admins wait for each other's changes. @throws accounts.last_admin */
  async function demandOtherAdmin(trx: Kysely<Tables>, id: string): Promise<void> {
    const admins = await store.lockActiveAdmins(trx);
    if (admins.length === 1 && admins[0] === id) throw accountErrors.lastAdmin();
  }

  /** An account is sought by its id or its whole mail address: parts of sealed addresses cannot be found. */
  function soughtBy(search: string | undefined) {
    if (!search) return undefined;
    return ACCOUNT_ID.test(search) ? { id: search } : { emailIndex: emailIndexOf(search) };
  }

  /** The link is made when the mail is: the queue holds no token. */
  async function sendAccountMail({ accountId }: { accountId: string }): Promise<void> {
    const account = await findAccount(accountId);
    if (!account) return;
    const { service_name: serviceName } = await settings.read();
    if (account.state !== "unverified") {
      await mail.deliver(welcomeBackLetter(account.email, serviceName, `${publicUrl}/log-in`));
      return;
    }
    const token = createToken("swv");
    const untilMs = clock.now() + LINK_DAYS * DAY_MS;
    const letter = verificationLetter(account.email, serviceName, `${publicUrl}/verify#token=${token}`);
    await sendLink(db, { hash: hashToken(token), purpose: "verify_email", accountId, untilMs }, () =>
      mail.deliver(letter),
    );
  }
  jobs.define<{ accountId: string }>(ACCOUNT_MAIL_JOB, sendAccountMail);

  return {
    /** Lets another module take part in changes of role and state. */
    onChange(reaction: AccountChanged): void {
      reactions.push(reaction);
    },

    /** Lets another module take part when an account gets a new password. */
    onPasswordSet(reaction: PasswordSet): void {
      passwordReactions.push(reaction);
    },

    /** Lets another module take part when an account is erased. */
    onErase(reaction: AccountErased): void {
      eraseReactions.push(reaction);
    },

    demandOtherAdmin,

    /**
     * Deletes an account and all rows that belong to it; whether it may go is for the caller to ask.
     *
     * @returns what is to be called once it is committed
     */
    async erase(trx: Kysely<Tables>, id: string): Promise<() => void> {
      const announcements: (() => void)[] = [];
      for (const react of eraseReactions) announcements.push(await react(trx, id));
      await store.deleteAccount(trx, id);
      return () => {
        for (const tell of announcements) tell();
      };
    },

    notify,

    /** Whether one more letter may be asked for. Who asks is told nothing of it. */
    admitLetter,

    /**
     * Registers a customer. The answer is the same whether or not the address has an account: its owner
     * learns the rest by mail. Whoever registered it before need not be its owner: while it is not confirmed, the
     * last password counts, and only the links that are sent from here on confirm it. A registration that is too
     * much to get a letter leaves an account that there is, and its links, as they were.
     *
     * @throws accounts.registration_closed, accounts.weak_password
     */
    async register(email: string, password: string, policyVersion?: string): Promise<void> {
      const { registration } = await settings.read();
      if (registration === "closed") throw accountErrors.registrationClosed();
      demandStrong(password, email);
      const account = accountOf(email, await hashPassword(password), "customer", "unverified");
      const isAdmitted = await admitLetter(email, "account");
      // The same statements for every address, so that the time tells no more than the answer.
      await withNumber(account, async (trx, numbered) => {
        const present = await store.findSealer(trx, emailIndexOf(email));
        const sealed = sealAccount(dataKeys, { ...numbered, ...present });
        const id = await store.registerAccount(trx, sealed, isAdmitted);
        await insertLedgerRow?.(trx, id);
        const recipient = isAdmitted ? id : createId("account");
        await noteAgreement?.(trx, recipient, policyVersion);
        await store.deleteTokensOf(trx, "verify_email", recipient);
        await jobs.send(ACCOUNT_MAIL_JOB, { accountId: recipient }, trx);
      });
    },

    /** The same is done for every address; where there is nothing to confirm, with nobody to send it to. */
    async requestVerification(email: string): Promise<void> {
      const isAdmitted = await admitLetter(email, "account");
      const account = await store.findAccountByEmail(db, emailIndexOf(email));
      const accountId = isAdmitted && account?.state === "unverified" ? account.id : createId("account");
      await jobs.send(ACCOUNT_MAIL_JOB, { accountId });
    },

    /** @throws accounts.link_invalid */
    async verifyEmail(token: string): Promise<Account> {
      return database.transaction(async (trx) => {
        const taken = await store.takeToken(trx, hashToken(token), "verify_email", dayOf(clock.now()));
        const account = taken?.account_id ? open(await store.findAccount(trx, taken.account_id)) : undefined;
        if (!account) throw accountErrors.linkInvalid();
        await store.deleteTokensOf(trx, "verify_email", account.id);
        if (account.state !== "unverified") return account;
        return open(await store.updateAccount(trx, account.id, { state: "active" })) ?? account;
      });
    },

    async isSetupNeeded(): Promise<boolean> {
      return !(await store.hasAdmin(db));
    },

    /** Makes the token of a link by which the first admin is created; undefined when there is one. */
    async createSetupToken(): Promise<string | undefined> {
      if (await store.hasAdmin(db)) return undefined;
      const token = createToken("sws");
      await store.insertToken(db, {
        hash: hashToken(token),
        purpose: "setup",
        account_id: null,
        expires_on: dayOf(clock.now() + LINK_DAYS * DAY_MS),
      });
      return token;
    },

    /** @throws service.setup_done, service.setup_token_invalid, accounts.email_in_use, accounts.weak_password */
    async setUp(token: string, email: string, password: string): Promise<Account> {
      demandStrong(password, email);
      const account = accountOf(email, await hashPassword(password), "admin", "active");
      return withNumber(account, async (trx, numbered) => {
        await store.lockSetup(trx);
        if (await store.hasAdmin(trx)) throw serviceErrors.setupDone();
        const taken = await store.takeToken(trx, hashToken(token), "setup", dayOf(clock.now()));
        if (!taken) throw serviceErrors.setupTokenInvalid();
        await store.deleteTokensOf(trx, "setup", null);
        const present = await store.findAccountByEmail(trx, emailIndexOf(email));
        if (present) throw accountErrors.emailInUse();
        await audit.record(trx, { kind: "setup_completed", actor: account.id, subject: account.id });
        return insert(trx, numbered);
      });
    },

    /** @throws accounts.email_in_use, accounts.weak_password */
    async create(email: string, password: string, role: Role, actor: string): Promise<Account> {
      demandStrong(password, email);
      const account = accountOf(email, await hashPassword(password), role, "active");
      const inserted = withNumber(account, async (trx, numbered) => {
        await audit.record(trx, { kind: "account_created", actor, subject: account.id, details: { role } });
        return insert(trx, numbered);
      });
      return inserted.catch((error: unknown) => {
        throw isUniqueViolation(error, "accounts_email_key") ? accountErrors.emailInUse() : error;
      });
    },

    find: findAccount,
    /** Reads the whole table, so that nothing tells which accounts were looked for, or whether any was. */
    async findAmongAll(ids: readonly string[]): Promise<Account[]> {
      const rows = await database.transaction((trx) => store.findAccountsAmongAll(trx, ids));
      return rows.flatMap((row) => open(row) ?? []);
    },
    /** Costs the same where there is no such account. */
    async findByEmail(email: string): Promise<Account | undefined> {
      const row = await store.findAccountByEmail(db, emailIndexOf(email));
      if (!row) sealAccount(dataKeys, accountOf(email, "", "customer", "unverified"));
      return open(row);
    },
    /** Ids of those who can be told what staff must know. */
    listAdmins: store.listActiveAdmins,

    count: () => store.countAccounts(db),

    /** @throws accounts.not_found */
    async get(id: string): Promise<Account> {
      const account = await findAccount(id);
      if (!account) throw accountErrors.notFound();
      return account;
    },

    async list(page: PageRequest) {
      const bounds = boundsOf(page, ["text"]);
      const rows = await store.listAccounts(db, bounds, soughtBy(page.search?.trim()));
      const listed = pageOf(rows, bounds, ({ id }) => [id], open);
      return { ...listed, items: listed.items.filter((account) => account !== undefined).map(viewOf) };
    },

    /**
     * Changes role or state. Suspending takes effect at once everywhere.
     *
     * @throws accounts.not_found, accounts.last_admin
     */
    async change(
      id: string,
      change: Partial<Pick<Account, "role" | "state">>,
      actor: string,
    ): Promise<Account> {
      const { account, announce } = await database.transaction(async (trx) => {
        const staysAdmin = (change.role ?? "admin") === "admin" && (change.state ?? "active") === "active";
        if (staysAdmin) await store.lockActiveAdmins(trx);
        else await demandOtherAdmin(trx, id);
        const changed = open(await store.updateAccount(trx, id, change));
        if (!changed) throw accountErrors.notFound();
        await audit.record(trx, { kind: "account_changed", actor, subject: id, details: change });
        const announcements = [];
        for (const react of reactions) announcements.push(await react(trx, changed));
        return { account: changed, announce: announcements };
      });
      for (const tell of announce) tell();
      return account;
    },

    /** @throws accounts.weak_password */
    async hashStrong(password: string, email: string): Promise<string> {
      demandStrong(password, email);
      return hashPassword(password);
    },

    /**
     * Sets a password; the links that were sent before are worth nothing from here on.
     *
     * @returns what is to be called once it is committed
     */
    async setPassword(
      trx: Kysely<Tables>,
      id: string,
      passwordHash: string,
      exceptSessionId?: string,
    ): Promise<() => void> {
      const key = await dataKeys.ofAccount(id, trx);
      await store.setPassword(trx, id, key.seal(PLACES.password, id, passwordHash));
      await store.deleteTokensOf(trx, "reset_password", id);
      const announcements: (() => void)[] = [];
      for (const react of passwordReactions) announcements.push(await react(trx, id, exceptSessionId));
      return () => {
        for (const tell of announcements) tell();
      };
    },

    /** Keeps a link and sends the letter that holds it. @throws what `deliver` throws */
    sendLink: (link: NewLink, deliver: () => Promise<void>) => sendLink(db, link, deliver),

    findByToken: async (...of: Parameters<typeof store.findAccountByToken>) =>
      open(await store.findAccountByToken(...of)),
    takeToken: (trx: Kysely<Tables>, hash: Buffer, purpose: NewLink["purpose"]) =>
      store.takeToken(trx, hash, purpose, dayOf(clock.now())),

    /** Ends every link that was sent to anybody. @returns how many */
    endLinks: (trx: Kysely<Tables>) => store.deleteAllTokens(trx),

    async deleteExpired(): Promise<void> {
      await store.deleteExpiredTokens(db, dayOf(clock.now()));
    },
  };
}
