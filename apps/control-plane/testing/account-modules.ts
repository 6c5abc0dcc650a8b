import { hash } from "@node-rs/argon2";
import { openTestDatabase } from "@securewave/database/testing";
import { createId, createManualClock, dayOf } from "@securewave/foundation";
import { createEnvelope } from "@securewave/foundation/envelope";
import { createJobs } from "@securewave/jobs";
import { eventually } from "@securewave/testing/eventually";
import { type Account, createAccounts } from "../modules/accounts/index.ts";
import type { Act } from "../modules/audit/index.ts";
import type { Letter } from "../modules/mail/index.ts";
import type { SettingsStore } from "../modules/settings/index.ts";
import { PASSWORD } from "./app.ts";
import { createTestDataKeys, insertAccount } from "./data-keys.ts";

/** Checked 50 times as fast as what the service makes: the parameters stand in the hash. */
const CHEAP = { memoryCost: 64, timeCost: 1, parallelism: 1 };

/** What the modules about accounts stand on: all of it real but mail, audit trail and clock, which are looked into. */
export async function openAccountModules({ startsJobs = false } = {}) {
  const database = await openTestDatabase();
  const clock = createManualClock(Date.now());
  const envelope = createEnvelope([{ number: 1, key: new Uint8Array(32).fill(7) }]);
  const dataKeys = createTestDataKeys(database);
  const jobFailures: unknown[] = [];
  const jobs = createJobs(database, (_, error) => void jobFailures.push(error), { pollSeconds: 0.5 });
  const letters: Letter[] = [];
  const mail = {
    deliver: async (letter: Letter) => void letters.push(letter),
    verify: async () => {},
    close() {},
  };
  const acts: Act[] = [];
  const audit = { record: async (_: unknown, act: Act) => void acts.push(act) };
  const service = { service_name: "Wave & Co", registration: "open", devices_per_account_max: 5 } as const;
  const settings: SettingsStore = { read: async () => service, change: async () => service };
  const publicUrl = "https://vpn.example.org";
  const accounts = createAccounts({ database, dataKeys, clock, jobs, mail, settings, audit, publicUrl });

  return {
    database,
    db: database.db,
    clock,
    dataKeys,
    envelope,
    jobs,
    mail,
    audit,
    acts,
    letters,
    settings,
    publicUrl,
    accounts,
    notify: accounts.notify,
    /** Makes an account of somebody whose password is `PASSWORD`. */
    async account(state: Account["state"] = "active"): Promise<Account> {
      const id = createId("account");
      return insertAccount(database.db, dataKeys, {
        id,
        email: `${id.slice(-8)}@example.org`,
        password_hash: await hash(PASSWORD, CHEAP),
        role: "customer",
        state,
        created_on: dayOf(clock.now()),
      });
    },
    /** The kinds of acts that the trail has of an account. */
    actsOf: (id: string) => acts.filter(({ subject }) => subject === id).map(({ kind }) => kind),
    /** Waits for a letter to somebody that is no other than those before. */
    letterTo: (to: string, before: readonly Letter[] = []) =>
      eventually(() => {
        const letter = letters.findLast((each) => each.to === to && !before.includes(each));
        if (!letter) throw new Error("no such letter yet");
        return letter;
      }),
    startJobs: () => jobs.start(),
    async close() {
      if (startsJobs) await jobs.stop();
      await database.close();
      if (jobFailures.length > 0) throw jobFailures[0];
    },
  };
}

/** What a refused call was refused with; `ok` when it was not. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "ok";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : Promise.reject(error);
  }
}
