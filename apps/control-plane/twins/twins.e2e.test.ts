import { missingServer } from "@securewave/database/testing-server";
import { requirements } from "@securewave/testing/requirements";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type Connected,
  live,
  makeBase,
  type Twin,
  type TwinBase,
  type TwinRun,
  taken,
} from "./testing/twin.ts";
import { differenceOf, firstDifference, orderedIn } from "./testing/write-ahead-log.ts";

const random = vi.hoisted(() => ({ restart: (_seed: string) => {}, fill: (_bytes: Uint8Array) => {} }));
vi.mock("node:crypto", async (importActual) => {
  const { createSeededRandom, seed } = await import("./testing/seeded-crypto.ts");
  const actual = await importActual<typeof import("node:crypto")>();
  const seeded = createSeededRandom(actual);
  Object.assign(random, seeded);
  return seed(actual, seeded);
});

const needs = requirements({ others: [missingServer()] });
const ACCOUNTS = 20;
const DEVICES_EACH = 50;
const HOUR_MINUTES = 60;
/** Whatever goes by the clock comes at least once. */
const DAY_MINUTES = 26 * HOUR_MINUTES;
/** Past the one hour at which every device is connected. */
const CONTROL_MINUTES = HOUR_MINUTES + 1;
const REPORT_EVERY_MINUTES = 20;
/** Many accounts of the busy one use more than that, so that their devices are throttled. */
const QUOTA_BYTES = 700 * 2 ** 20;
const TIMEOUT_MS = 400_000;

describe.skipIf(!needs.ok)(
  needs.title("two instances, one with a thousand sessions and one with none"),
  () => {
    let base: TwinBase;
    beforeAll(async () => {
      vi.spyOn(globalThis.crypto, "getRandomValues").mockImplementation((bytes) => {
        if (bytes instanceof Uint8Array) random.fill(bytes);
        return bytes;
      });
      random.restart("what both begin with");
      base = await makeBase({ accounts: ACCOUNTS, devicesEach: DEVICES_EACH, quotaBytes: QUOTA_BYTES });
    }, TIMEOUT_MS);
    afterAll(async () => {
      vi.restoreAllMocks();
      await base?.close();
    });

    async function run(minutes: number, sessions: Sessions, leak?: Leak): Promise<TwinRun> {
      random.restart("what each lives through");
      const moments = momentsOf(minutes);
      const seen = await live(base, moments, (twin, minute) => pass(twin, minute, sessions, leak));
      return { ...seen, records: orderedIn(seen.records, new Set(Object.values(ACTS_AT))) };
    }

    test(
      "write the same write-ahead log: managers, types, lengths, tables and minutes",
      async ({ annotate }) => {
        const busy = await run(DAY_MINUTES, thousand);
        const silent = await run(DAY_MINUTES, none);
        const again = await run(DAY_MINUTES, none);
        // What two silent ones differ in would be noise; there is none.
        expect(firstDifference(again.records, silent.records)).toBe("none");
        await annotate(
          `zerolog.twin_difference ${differenceOf(busy.records, silent.records)} of ${silent.records.length} records`,
        );
        expect(firstDifference(busy.records, silent.records)).toBe("none");
        expect(busy.jobs).toEqual(silent.jobs);
        // The control: what people did and the clock brought is in it.
        const minutes = new Set(silent.records.map(({ minute }) => minute));
        for (const minute of [...Object.values(ACTS_AT), ...VACUUM_AT, CLEAN_UP_AT])
          expect(minutes).toContain(minute);
        expect(silent.records.length).toBeGreaterThan(500);
      },
      TIMEOUT_MS,
    );

    test.each(Object.entries(LEAKS))(
      "differ once there is %s",
      async (_, leak) => {
        const leaking = await run(CONTROL_MINUTES, thousand, leak);
        const quiet = await run(CONTROL_MINUTES, none, leak);
        expect(differenceOf(leaking.records, quiet.records)).toBeGreaterThan(0);
      },
      TIMEOUT_MS,
    );
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
/** The first before the ledger is written anew once more: what its former change of tables left is gone in both. */
const VACUUM_AT = [190, 500];
/** 03:17, as `CLEAN_UP_CRON` of `app.ts`. */
const CLEAN_UP_AT = 3 * HOUR_MINUTES + 17;

/** What happens in both: reports, acts of people, and what the clock brings. */
async function pass(twin: Twin, minute: number, sessions: Sessions, leak?: Leak): Promise<void> {
  const { node, publicKeys, server, logIn } = twin;
  if (minute % REPORT_EVERY_MINUTES === 0) {
    const active = sessions(publicKeys, minute);
    await taken(node, active);
    await leak?.(twin, minute, active);
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

/** A durable write that tells of sessions. */
type Leak = (twin: Twin, minute: number, active: readonly Connected[]) => Promise<void>;

const LEAKS: Record<string, Leak> = {
  "a row that a session updates": async ({ test: { database } }, _, active) => {
    const first = active[0]?.publicKey;
    if (first === undefined) return;
    await database.pool.query("update peers set public_key = public_key where public_key = $1", [first]);
  },
  "a nightly write of the active ones alone": async ({ test: { database } }, minute, active) => {
    if (minute !== HOUR_MINUTES) return;
    const keys = active.map(({ publicKey }) => publicKey);
    await database.pool.query("update peers set public_key = public_key where public_key = any($1)", [keys]);
  },
  "a nightly write of one row whose length tells": async ({ test: { database } }, minute, active) => {
    if (minute !== HOUR_MINUTES) return;
    const bytes = active.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
    await database.pool.query("insert into settings (name, value) values ('leak', to_jsonb($1::text))", [
      String(bytes),
    ]);
  },
};
