import type { Deletion } from "@securewave/contracts/privacy";
import { privacyErrors } from "@securewave/contracts/privacy";
import type { Database } from "@securewave/database";
import { type Clock, DAY_MS, dayOf } from "@securewave/foundation";
import type { Jobs } from "@securewave/jobs";
import type { Bus } from "../../bus.ts";
import type { Accounts } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import { type DataKeys, dataKeyErrors } from "../data-keys/index.ts";
import type { Mail } from "../mail/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import { erasedLetter } from "./letters.ts";
import { renewSamples } from "./samples.ts";
import * as store from "./store.ts";

export interface DeletionsOptions {
  readonly database: Database;
  readonly dataKeys: DataKeys;
  readonly clock: Clock;
  readonly jobs: Jobs;
  readonly bus: Bus;
  readonly audit: Pick<Audit, "record" | "sequence" | "eraseAccount">;
  readonly accounts: Accounts;
  readonly mail: Mail;
  readonly settings: SettingsStore;
  /** Days in which a deletion can be taken back; until then everything works as before. */
  readonly graceDays: number;
  /** Hears of letters that could not be sent and of copies of the key that could not be written. */
  readonly onTrouble: (error: unknown) => void;
}

export type Deletions = ReturnType<typeof createDeletions>;

const JOB = "erase-accounts";
/** Every day, for those whose time has come. */
const CRON = "41 3 * * *";
const BATCH_ROWS = 10_000;

/** Erases accounts: their rows, and the keys without which no backup of these rows can be read. */
export function createDeletions(options: DeletionsOptions) {
  const { database, dataKeys, clock, jobs, bus, audit, accounts, mail, settings, graceDays, onTrouble } =
    options;
  const { db } = database;
  const today = () => dayOf(clock.now());

  /** Other processes forget the keys as well; those that are away do at their next start. */
  const forgetHere = () => void forgetKeys().catch(onTrouble);
  bus.subscribe("keys-erased", forgetHere, forgetHere);

  async function forgetKeys(): Promise<void> {
    const { behind } = await dataKeys.forgetErased();
    if (behind.length > 0) onTrouble(dataKeyErrors.copyBehind({ internal: `${behind.length} behind` }));
  }

  /** The last letter; whoever cannot be reached is erased all the same. */
  async function tellOwner(accountId: string): Promise<void> {
    const account = await accounts.find(accountId);
    if (!account) return;
    try {
      const { service_name: serviceName } = await settings.read();
      await mail.deliver(erasedLetter(account.email, serviceName));
    } catch (error) {
      onTrouble(error);
    }
  }

  /**
   * Erases an account at once. Its rows go first, and the number of its key is written down with them: should this
   * process end in between, the next start destroys the key.
   *
   * @param isDue whether it goes only if its deletion was not taken back
   * @throws accounts.last_admin
   */
  async function erase(accountId: string, { isDue = false } = {}): Promise<void> {
    await audit.sequence(); // what waits for its place cannot be erased yet
    const eraseRows = async (trx: Database["db"]) => {
      if (isDue && !(await store.deleteDeletion(trx, accountId))) return undefined; // taken back in the last moment
      if (isDue) await accounts.demandOtherAdmin(trx, accountId);
      const numbers = await store.numbersOf(trx, accountId);
      await dataKeys.recordErased(trx, numbers, today());
      await store.settleRequestsOf(trx, accountId, today());
      const announceErased = await accounts.erase(trx, accountId);
      await audit.eraseAccount(trx, accountId, "system");
      return announceErased;
    };
    // Whoever asks for it: entries of the trail are for a worker to erase.
    const announce = await database.as("worker", () => database.transaction(eraseRows));
    if (!announce) return;
    announce();
    await forgetKeys();
    bus.publish("keys-erased", "");
  }

  async function eraseDue(): Promise<void> {
    for (const accountId of await store.listDue(db, today())) {
      try {
        await tellOwner(accountId);
        await erase(accountId, { isDue: true });
      } catch (error) {
        onTrouble(error); // one that cannot go, such as the last admin, keeps nobody else
      }
    }
    await forgetKeys(); // copies that were behind are tried again
    // Those of yesterday too: samples that could not be renewed are tried again.
    if (await store.hasErased(db, dayOf(clock.now() - DAY_MS)))
      await database.as("owner", () => renewSamples(database));
  }
  jobs.define<object>(JOB, eraseDue, { cron: CRON });

  async function ask(accountId: string, actor: string, days: number): Promise<Deletion> {
    const asked = { account_id: accountId, asked_on: today(), due_on: dayOf(clock.now() + days * DAY_MS) };
    return database.transaction(async (trx) => {
      await accounts.demandOtherAdmin(trx, accountId);
      const row = await store.putDeletion(trx, asked);
      const details = { due_on: row.due_on };
      await audit.record(trx, { kind: "deletion_requested", actor, subject: accountId, details });
      await accounts.notify(trx, accountId, "deletion_requested");
      if (row.due_on <= today()) await jobs.send(JOB, {}, trx);
      return viewOf(row);
    });
  }

  return {
    graceDays,

    async find(accountId: string): Promise<Deletion | undefined> {
      const row = await store.findDeletion(db, accountId);
      return row && viewOf(row);
    },

    /** @throws accounts.last_admin */
    ask: (accountId: string) => ask(accountId, accountId, graceDays),

    /** @throws accounts.not_found, accounts.last_admin */
    async askForStaff(accountId: string, actor: string, isAtOnce: boolean): Promise<Deletion> {
      await accounts.get(accountId);
      return ask(accountId, actor, isAtOnce ? 0 : graceDays);
    },

    /** @throws privacy.no_deletion */
    async withdraw(accountId: string, actor: string): Promise<void> {
      await database.transaction(async (trx) => {
        if (!(await store.deleteDeletion(trx, accountId))) throw privacyErrors.noDeletion();
        await audit.record(trx, { kind: "deletion_withdrawn", actor, subject: accountId });
        await accounts.notify(trx, accountId, "deletion_withdrawn");
      });
    },

    eraseDue,

    /** Erases an account at once and without a letter. @throws accounts.last_admin */
    erase: (accountId: string) => erase(accountId),

    /**
     * Erases again what a restored backup has brought back: rows of accounts whose keys are destroyed. For each start.
     *
     * @returns how many accounts it found
     */
    async replay(): Promise<number> {
      let found = 0;
      let after = "";
      for (let isMore = true; isMore; ) {
        const rows = await store.listNumbers(db, after, BATCH_ROWS);
        for (const { id, number } of rows) {
          if (!dataKeys.isForgotten(number)) continue;
          await erase(id);
          found++;
        }
        isMore = rows.length === BATCH_ROWS;
        after = rows.at(-1)?.id ?? after;
      }
      if (found > 0) await database.as("owner", () => renewSamples(database)).catch(onTrouble);
      return found;
    },
  };
}

function viewOf({ asked_on, due_on }: store.DeletionRow): Deletion {
  return { asked_on, due_on };
}
