import type { Database } from "@securewave/database";
import { type Clock, dayOf } from "@securewave/foundation";
import type { Jobs } from "@securewave/jobs";
import type { Accounts } from "../accounts/index.ts";
import type { Mail } from "../mail/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import { dayAfter, type KeyLife } from "./device.ts";
import * as keyStore from "./key-store.ts";
import { reminderLetter, rotatedLetter } from "./letters.ts";
import type { Devices } from "./service.ts";

export interface KeyUpkeepOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly jobs: Pick<Jobs, "define" | "send">;
  readonly devices: Pick<Devices, "retireDue" | "rotateIfDue">;
  readonly accounts: Pick<Accounts, "find">;
  readonly mail: Pick<Mail, "deliver">;
  readonly settings: SettingsStore;
  readonly keyLife: KeyLife;
  readonly publicUrl: string;
}

const RETIRE_JOB = "retire-tunnel-keys";
const RENEW_JOB = "renew-tunnel-keys";
const MAIL_JOB = "tunnel-key-mail";
/** At a fixed minute of each hour, whatever happens in tunnels. */
const RETIRE_CRON = "23 * * * *";
const RENEW_CRON = "9 4 * * *";
const REMIND_EVERY_DAYS = 7;
const BATCH_ROWS = 100;

interface KeyMail {
  readonly accountId: string;
  readonly deviceId: string;
  /** The last day of the former key; null where the owner is reminded to make a new one. */
  readonly validUntil: string | null;
}

/**
 * What the clock does with keys: it takes those away whose time is over, makes anew those that the server made, and
 * reminds owners of theirs. Each finds out for itself what is due, so that it does no harm twice, at the same time
 * elsewhere, or late.
 */
export function defineKeyUpkeep(options: KeyUpkeepOptions) {
  const { database, clock, jobs, devices, accounts, mail, settings, keyLife, publicUrl } = options;
  const today = () => dayOf(clock.now());

  async function retire(): Promise<void> {
    await forEachDue((batch) => keyStore.listToRetire(database.db, today(), batch), devices.retireDue);
  }

  async function rotate(): Promise<void> {
    await forEachDue(
      (batch) => keyStore.listToRotate(database.db, keyLife.rotationDays, today(), batch),
      (device) =>
        devices.rotateIfDue(device, (trx, validUntil) =>
          jobs.send(
            MAIL_JOB,
            { accountId: device.account_id, deviceId: device.id, validUntil } satisfies KeyMail,
            trx,
          ),
        ),
    );
  }

  /** All letters of the days since the last time or none: nothing is written down of who was reminded. */
  async function remind(): Promise<void> {
    await database.transaction(async (trx) => {
      const until = today();
      const since = (await keyStore.lockReminders(trx)) ?? dayAfter(until, -1);
      if (since >= until) return;
      const days = { since, today: until, everyDays: REMIND_EVERY_DAYS };
      await forEachDue(
        (batch) => keyStore.listToRemind(trx, keyLife.rotationDays, days, batch),
        ({ id, account_id }) =>
          jobs.send(
            MAIL_JOB,
            { accountId: account_id, deviceId: id, validUntil: null } satisfies KeyMail,
            trx,
          ),
      );
      await keyStore.noteReminders(trx, until);
    });
  }

  async function renew(): Promise<void> {
    await remind();
    await rotate();
  }

  jobs.define<KeyMail>(MAIL_JOB, async ({ accountId, deviceId, validUntil }) => {
    const account = await accounts.find(accountId);
    if (account?.state !== "active") return;
    const { service_name: serviceName } = await settings.read();
    const letter = { to: account.email, serviceName, url: `${publicUrl}/devices/${deviceId}` };
    await mail.deliver(validUntil === null ? reminderLetter(letter) : rotatedLetter(letter, validUntil));
  });
  jobs.define(RETIRE_JOB, retire, { cron: RETIRE_CRON });
  jobs.define(RENEW_JOB, renew, { cron: RENEW_CRON });
  return { retire, renew };
}

/**
 * Goes through what is due, batch after batch. One that fails holds up no other.
 *
 * @throws the first failure, once all others are done
 */
async function forEachDue(
  list: (batch: keyStore.DueBatch) => Promise<keyStore.DueDevice[]>,
  work: (device: keyStore.DueDevice) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  let after: string | undefined = "";
  while (after !== undefined) {
    const devices: keyStore.DueDevice[] = await list({ after, rows: BATCH_ROWS });
    for (const device of devices) await work(device).catch((error: unknown) => failures.push(error));
    after = devices.at(-1)?.id;
  }
  if (failures.length > 0) throw failures[0];
}
