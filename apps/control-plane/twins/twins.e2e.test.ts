import { missingServer } from "@securewave/database/testing-server";
import { requirements } from "@securewave/testing/requirements";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { fillSeeded, restartRandom } from "./testing/seeded-crypto.ts";
import {
  type Connected,
  live,
  makeBase,
  type Twin,
  type TwinBase,
  type TwinRun,
  taken,
} from "./testing/twin.ts";
import { differenceOf, firstDifference, orderedIn, type WalRecord } from "./testing/write-ahead-log.ts";

vi.mock("node:crypto", async () => (await import("./testing/seeded-crypto.ts")).seededCrypto);

declare module "vitest" {
  interface TaskMeta {
    /** For the benchmark that prints it. */
    twins?: { readonly difference: number; readonly records: number };
  }
}

const needs = requirements({ others: [missingServer()] });
const ACCOUNTS = 20;
const DEVICES_EACH = 50;
const HOUR_MINUTES = 60;
/** Whatever goes by the clock comes at least once, and the ledger is written anew on two days. */
const DAY_MINUTES = 28 * HOUR_MINUTES;
/** Past the one hour at which every device is connected. */
const CONTROL_MINUTES = HOUR_MINUTES + 1;
const REPORT_EVERY_MINUTES = 20;
/** Of the busy one's accounts some have used most of it when the ledger is written first, and most of them all of it. */
const QUOTA_BYTES = 700 * 2 ** 20;
const TIMEOUT_MS = 400_000;

describe.skipIf(!needs.ok)(
  needs.title("two instances, one with a thousand sessions and one with none"),
  () => {
    let base: TwinBase;
    beforeAll(async () => {
      vi.spyOn(globalThis.crypto, "getRandomValues").mockImplementation((bytes) => {
        if (bytes instanceof Uint8Array) fillSeeded(bytes);
        return bytes;
      });
      restartRandom("what both begin with");
      base = await makeBase({ accounts: ACCOUNTS, devicesEach: DEVICES_EACH, quotaBytes: QUOTA_BYTES });
    }, TIMEOUT_MS);
    afterAll(async () => {
      vi.restoreAllMocks();
      await base?.close();
    });

    async function run(minutes: number, sessions: Sessions, leaks: readonly Leak[] = []): Promise<TwinRun> {
      restartRandom("what each lives through");
      const moments = momentsOf(minutes);
      const seen = await live(base, moments, (twin, minute) => pass(twin, minute, sessions, leaks));
      return { ...seen, records: orderedIn(seen.records, new Set(Object.values(ACTS_AT))) };
    }

    test(
      "write the same write-ahead log: managers, types, lengths, tables and minutes",
      async ({ annotate, task }) => {
        const busy = await run(DAY_MINUTES, thousand);
        const silent = await run(DAY_MINUTES, none);
        const difference = differenceOf(busy.records, silent.records);
        task.meta.twins = { difference, records: silent.records.length };
        await annotate(`zerolog.twin_difference ${difference} of ${silent.records.length} records`);
        expect(firstDifference(busy.records, silent.records)).toBe("none");
        expect(busy.jobs).toEqual(silent.jobs);
        // The control: what people did and the clock brought is in it, and quotas were crossed in the busy one alone.
        const minutes = new Set(silent.records.map(({ minute }) => minute));
        for (const minute of [...Object.values(ACTS_AT), ...VACUUM_AT, ...LEDGER_AT])
          expect(minutes).toContain(minute);
        expect(silent.records.length).toBeGreaterThan(500);
        for (const subject of QUOTA_SUBJECTS) {
          expect(lettersOf(busy, subject)).toBeGreaterThan(0);
          expect(lettersOf(silent, subject)).toBe(0);
        }
        expect(busy.restrictedMax).toBeGreaterThan(0);
        expect(silent.restrictedMax).toBe(0);
      },
      TIMEOUT_MS,
    );

    describe("with leaks, one after another", () => {
      let leaking: readonly WalRecord[];
      let quiet: readonly WalRecord[];
      beforeAll(async () => {
        leaking = (await run(CONTROL_MINUTES, thousand, LEAKS)).records;
        quiet = (await run(CONTROL_MINUTES, none, LEAKS)).records;
      }, TIMEOUT_MS);

      test.each(LEAKS)("differ in the minute of $what", ({ minute }) => {
        const ofMinute = (record: WalRecord) => record.minute === minute;
        expect(differenceOf(leaking.filter(ofMinute), quiet.filter(ofMinute))).toBeGreaterThan(0);
      });

      test("differ in no other minute", () => {
        const ofOthers = (record: WalRecord) => !LEAKS.some(({ minute }) => record.minute === minute);
        expect(firstDifference(leaking.filter(ofOthers), quiet.filter(ofOthers))).toBe("none");
      });
    });
  },
);

/** Which devices are connected in a minute, and what they have received. */
type Sessions = (publicKeys: readonly string[], minute: number) => Connected[];

const none: Sessions = () => [];
/** Each comes and goes in its own rhythm; once all of them are there. */
const thousand: Sessions = (publicKeys, minute) =>
  publicKeys.flatMap((publicKey, at) =>
    minute === HOUR_MINUTES || (minute + at * 7) % (30 + (at % 50)) < 20
      ? [{ publicKey, receivedBytes: minute * (1000 + at * 137) }]
      : [],
  );

/** Every ten minutes a report; between them what the clock brings, at :05 and :17 of an hour, and what people do. */
function momentsOf(minutes: number): number[] {
  const all = Array.from({ length: minutes }, (_, at) => at + 1);
  const acts: number[] = [...Object.values(ACTS_AT), ...VACUUM_AT];
  return all.filter(
    (minute) =>
      minute % REPORT_EVERY_MINUTES === 0 || [5, 17].includes(minute % HOUR_MINUTES) || acts.includes(minute),
  );
}

/** Minutes of what people do in both. */
const ACTS_AT = { rotateSigning: 95, rotateEncryption: 155, revokeDevice: 305 };
/** Before the ledger is written anew once more: what its former change of tables left is gone in both. */
const VACUUM_AT = [190, 500, 1630];
/** 03:17 of both days, as the settings have it by default. */
const LEDGER_AT = [3 * HOUR_MINUTES + 17, 27 * HOUR_MINUTES + 17];

/** Of letters at 80 % and at 100 %. */
const QUOTA_SUBJECTS = [/^80 % of this month's traffic/, /^This month's traffic .* is used up$/];

function lettersOf({ mails }: TwinRun, subject: RegExp): number {
  return mails.filter((mail) => subject.test(mail.subject)).length;
}

/** What happens in both: reports, acts of people, and what the clock brings. */
async function pass(twin: Twin, minute: number, sessions: Sessions, leaks: readonly Leak[]): Promise<void> {
  const { node, publicKeys, server, logIn } = twin;
  if (minute % REPORT_EVERY_MINUTES === 0) {
    const active = sessions(publicKeys, minute);
    await taken(node, active);
    await leaks.find((leak) => leak.minute === minute)?.write(twin, active);
  }
  if (minute === ACTS_AT.rotateSigning || minute === ACTS_AT.rotateEncryption) {
    const { client } = await logIn("admin");
    const what = minute === ACTS_AT.rotateSigning ? "signing" : "encryption";
    await client.keys.rotate({ body: { what } });
  }
  if (minute === ACTS_AT.revokeDevice) {
    const { client } = await logIn("customer");
    const [device] = (await client.devices.list()).items;
    if (device) await client.devices.revoke({ params: { id: device.id } });
  }
  if (VACUUM_AT.includes(minute)) await server.run("vacuum (analyze)");
}

/** A durable write that tells of sessions, once: what it differs in stands in its minute alone. */
interface Leak {
  readonly what: string;
  readonly minute: number;
  write(twin: Twin, active: readonly Connected[]): Promise<unknown>;
}

const LEAKS: readonly Leak[] = [
  {
    what: "a row that a session updates",
    minute: 20,
    async write({ test: { database } }, [first]) {
      if (first === undefined) return;
      const { publicKey } = first;
      await database.pool.query("update peers set public_key = public_key where public_key = $1", [
        publicKey,
      ]);
    },
  },
  {
    what: "a nightly write of the active ones alone",
    minute: 40,
    async write({ test: { database } }, active) {
      const keys = active.map(({ publicKey }) => publicKey);
      await database.pool.query("update peers set public_key = public_key where public_key = any($1)", [
        keys,
      ]);
    },
  },
  {
    what: "a nightly write of one row whose length tells",
    minute: HOUR_MINUTES,
    async write({ test: { database } }, active) {
      const bytes = active.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
      await database.pool.query("insert into settings (name, value) values ('leak', to_jsonb($1::text))", [
        String(bytes),
      ]);
    },
  },
];
