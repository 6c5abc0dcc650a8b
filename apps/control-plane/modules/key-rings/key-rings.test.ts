import { randomBytes } from "node:crypto";
import { KeyRings as KeyRingsSchema } from "@securewave/contracts/keys";
import { openDatabase } from "@securewave/database";
import { openTestDatabase } from "@securewave/database/testing";
import { insertAccountRow } from "@securewave/database/testing-rows";
import { createId, createManualClock, DAY_MS, dayOf, type ManualClock } from "@securewave/foundation";
import { createEnvelope, MASTER_NUMBER_BYTE } from "@securewave/foundation/envelope";
import { createSecret } from "@securewave/foundation/secret";
import { createJobs } from "@securewave/jobs";
import { createAccessTokens } from "@securewave/sentinel/tokens";
import { eventually } from "@securewave/testing/eventually";
import { Value } from "typebox/value";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { createBus } from "../../bus.ts";
import { createTunnels } from "../devices/index.ts";
import { loadServiceKey } from "../service-keys/index.ts";
import { type KeyRingsOptions, openKeyRings } from "./index.ts";
import { resealAll } from "./reseal.ts";
import { ROOT_SEALED_COLUMN, SEALED_COLUMNS } from "./sealed-columns.ts";

const ROOT = new Uint8Array(32).fill(7);
const SECRETS = { jwtSecret: createSecret("a test's secret of thirty-two characters"), masterKey: ROOT };
const CLAIMS = { accountId: "acc_1", sessionId: "ses_1" };
const ACCESS_HOURS = 24;

const database = await openTestDatabase();
const { db } = database;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await database.truncateAll();
  // The tables of the queue are made by its first start, so nobody else empties them.
  await database.pool.query("delete from jobs.job").catch(() => {});
});
afterAll(() => database.close());

interface Replica extends Awaited<ReturnType<typeof openReplica>> {}

/** One process of the service, as far as keys go. */
async function openReplica(
  clock: ManualClock,
  options: Partial<KeyRingsOptions> & { readonly withJobs?: boolean } = {},
) {
  const own = await openDatabase({ url: database.url, poolMax: 4, statementTimeoutMs: 10_000 });
  closing.push(() => own.close());
  const troubles: unknown[] = [];
  const onTrouble = (error: unknown) => void troubles.push(error);
  const bus = createBus(own, onTrouble);
  const jobs = createJobs(own, (_, error) => onTrouble(error), { pollSeconds: 0.5 });
  const rings = await openKeyRings({
    database: own,
    clock,
    bus,
    jobs,
    secrets: SECRETS,
    algorithm: "HS256",
    accessHours: ACCESS_HOURS,
    onTrouble,
    arrivalMs: 200,
    ...options,
  });
  closing.push(() => rings.close());
  await bus.start();
  if (options.withJobs !== false) {
    await jobs.start();
    closing.push(() => jobs.stop());
  }
  const tokens = createAccessTokens({
    issuer: "securewave",
    audience: "securewave-api",
    lifeSeconds: ACCESS_HOURS * 3600,
    clock,
    keys: rings.signingKeys,
  });
  return { rings, tokens, troubles, jobs };
}

const newClock = () => createManualClock(Date.parse("2026-11-20T12:00:00Z"));

/** Revoked devices, which need neither node nor address, with a key that `envelope` seals. */
async function addDevices(count: number, seal: (text: string, context: string) => Buffer) {
  const account = await insertAccountRow(db);
  const ids = Array.from({ length: count }, () => createId("device"));
  const devices = ids.map((id) => ({
    id,
    account_id: account,
    name_index: Buffer.from(id),
    name_sealed: Buffer.of(),
    type: "other" as const,
    state: "revoked" as const,
    public_key: id,
    key_origin: "server" as const,
    sealed_private_key: seal(`key of ${id}`, id),
    preshared_key_master: null,
    created_on: "2026-11-20",
  }));
  await db.insertInto("devices").values(devices).execute();
  return ids;
}

const numbersIn = async () => {
  const rows = await db.selectFrom("devices").select("sealed_private_key as sealed").execute();
  return new Set(rows.map(({ sealed }) => sealed?.[MASTER_NUMBER_BYTE]));
};

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "ok",
    (error) => error.code ?? String(error),
  );
}

test("without a rotation all is as the configuration says, and no table holds a key", async () => {
  const { rings, tokens } = await openReplica(newClock(), { withJobs: false });
  expect(rings.encryptionKeys()).toEqual([{ number: 1, key: ROOT }]);
  const sealed = createEnvelope([{ number: 1, key: ROOT }]).seal("text", "context");
  expect(rings.envelope.open(sealed, "context")).toBe("text");
  expect(tokens.verify(tokens.sign(CLAIMS))).toEqual(CLAIMS);
  const view = await rings.list();
  expect(Value.Check(KeyRingsSchema, view)).toBe(true);
  expect(view.signing).toEqual([
    { kid: "0", algorithm: "HS256", state: "signing", created_on: null, retires_on: null },
  ]);
  expect(view.encryption).toMatchObject([{ number: 1, state: "sealing", created_on: null, sealed: 0 }]);
});

describe("keys that sign", () => {
  test.each(["HS256", "EdDSA"] as const)(
    "a token of %s signed before a rotation is good for all of its life; then its key is gone",
    async (algorithm) => {
      const clock = newClock();
      const { rings, tokens } = await openReplica(clock, { algorithm });
      const before = tokens.sign(CLAIMS);
      await rings.rotateSigningKeys("acc_1");
      const after = tokens.sign(CLAIMS);
      const headerOf = (token: string) =>
        JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString());
      expect([before, after].map((token) => headerOf(token).kid)).toEqual(["0", "1"]);
      clock.advanceSeconds(ACCESS_HOURS * 3600 - 1);
      expect([before, after].map((token) => tokens.verify(token))).toEqual([CLAIMS, CLAIMS]);
      await rings.deleteRetired();
      expect((await rings.list()).signing.map(({ kid, state }) => [kid, state])).toEqual([
        ["0", "verifying"],
        ["1", "signing"],
      ]);
      const later = tokens.sign(CLAIMS);
      clock.advanceSeconds(2 * 86_400);
      expect(rings.signingKeys().map(({ kid }) => kid)).toEqual(["1"]); // also before the clean-up
      await rings.deleteRetired();
      expect((await rings.list()).signing.map(({ kid, state }) => [kid, state])).toEqual([["1", "signing"]]);
      expect(tokens.verify(later)).toBeUndefined();
      expect(tokens.verify(tokens.sign(CLAIMS))).toEqual(CLAIMS);
    },
  );

  test("a process that starts after rotations takes the tokens of those before it", async () => {
    const clock = newClock();
    const first = await openReplica(clock);
    const signed = [first.tokens.sign(CLAIMS)];
    for (let rotation = 0; rotation < 3; rotation++) {
      await first.rings.rotateSigningKeys("acc_1");
      signed.push(first.tokens.sign(CLAIMS));
    }
    const second = await openReplica(clock, { withJobs: false });
    expect(signed.map((token) => second.tokens.verify(token))).toEqual(Array(4).fill(CLAIMS));
    expect(first.tokens.verify(second.tokens.sign(CLAIMS))).toEqual(CLAIMS);
  });

  test("another algorithm in the settings logs nobody out, once there is a ring", async () => {
    const clock = newClock();
    const first = await openReplica(clock);
    await first.rings.rotateSigningKeys("acc_1");
    const before = first.tokens.sign(CLAIMS);
    const second = await openReplica(clock, { algorithm: "EdDSA", withJobs: false });
    expect(second.tokens.verify(before)).toEqual(CLAIMS);
    expect(second.rings.signingKeys()[0]).toMatchObject({ kid: "2", algorithm: "EdDSA" });
    await eventually(() => expect(first.tokens.verify(second.tokens.sign(CLAIMS))).toEqual(CLAIMS));
  });

  test("a ring takes 32 keys", async () => {
    const { rings } = await openReplica(newClock(), { arrivalMs: 0 });
    for (let rotation = 0; rotation < 31; rotation++) await rings.rotateSigningKeys("acc_1");
    expect(await codeOf(rings.rotateSigningKeys("acc_1"))).toBe("keys.ring_full");
  });
});

describe("keys that seal", () => {
  test("what was sealed before opens at all times, and is sealed anew in the background", async () => {
    const clock = newClock();
    const { rings, troubles } = await openReplica(clock);
    const identity = await loadServiceKey(db, rings.envelope, "control-plane");
    const ids = await addDevices(450, rings.envelope.seal);
    await rings.rotateMasterKeys("acc_1");
    expect(rings.envelope.seal("new", "context")[MASTER_NUMBER_BYTE]).toBe(2);
    await eventually(async () => expect(await numbersIn()).toEqual(new Set([2])), { timeoutMs: 10_000 });
    await eventually(async () => expect((await rings.list()).encryption[0]?.sealed).toBe(0));
    const rows = await db.selectFrom("devices").select(["id", "sealed_private_key"]).execute();
    for (const { id, sealed_private_key } of rows) {
      expect(rings.envelope.open(sealed_private_key ?? Buffer.of(), id)).toBe(`key of ${id}`);
    }
    expect(rows).toHaveLength(ids.length);
    expect((await loadServiceKey(db, rings.envelope, "control-plane")).publicKey).toBe(identity.publicKey);
    const view = await rings.list();
    expect(Value.Check(KeyRingsSchema, view)).toBe(true);
    expect(view.encryption).toMatchObject([
      { number: 1, state: "opening", sealed: 0 },
      { number: 2, state: "sealing", sealed: 451, created_on: "2026-11-20" },
    ]);
    expect(troubles).toEqual([]);
  });

  test("a former key is dropped when nothing is sealed under it and no device's preshared key needs it", async () => {
    const clock = newClock();
    const { rings } = await openReplica(clock);
    const [id = ""] = await addDevices(3, rings.envelope.seal);
    await db.updateTable("devices").set({ preshared_key_master: 1 }).where("id", "=", id).execute();
    await rings.rotateMasterKeys("acc_1");
    const numbers = async () => (await rings.list()).encryption.map(({ number }) => number);
    await rings.deleteRetired();
    clock.advanceSeconds(86_400);
    await rings.deleteRetired();
    expect(await numbers()).toEqual([1, 2]);
    expect((await rings.list()).encryption[0]).toMatchObject({ sealed: 0, preshared_keys: 1 });
    await db.deleteFrom("devices").where("id", "=", id).execute();
    await rings.deleteRetired();
    expect(await numbers()).toEqual([2]);
    // A replica that was away sealed with the former key until then: the key stays until that is sealed anew.
    await rings.rotateMasterKeys("acc_1");
    await rings.deleteRetired();
    expect(await numbers()).toEqual([2, 3]); // not on the day of the rotation
  });

  test("preshared keys stay as they are, and new devices get theirs from the new key", async () => {
    const { rings } = await openReplica(newClock());
    const settings = { pools: { v4: POOL_V4, v6: POOL_V6 }, dns: [], mtu: 1420, keepaliveSeconds: 25 };
    const tunnels = createTunnels({ ...settings, masterKeys: rings.encryptionKeys });
    const master = tunnels.newestMaster;
    const device = { public_key: "a key", preshared_key_master: master, address_index: 2, tier: 1 };
    const before = tunnels.specOf(device).preshared_key;
    const configured = createTunnels({ ...settings, masterKeys: [{ number: 1, key: ROOT }] });
    expect(before).toBe(configured.specOf(device).preshared_key);
    await rings.rotateMasterKeys("acc_1");
    expect(tunnels.specOf(device).preshared_key).toBe(before);
    expect(tunnels.newestMaster).toBe(2);
    expect(tunnels.specOf({ ...device, preshared_key_master: 2 }).preshared_key).not.toBe(before);
  });

  test("sealing anew goes on where it was cut off, and writes over nobody's change", async () => {
    const keys = [
      { number: 2, key: randomBytes(32) },
      { number: 1, key: ROOT },
    ];
    const old = createEnvelope([{ number: 1, key: ROOT }]);
    const envelope = createEnvelope(keys);
    const ids = await addDevices(500, old.seal);
    let batches = 0;
    const cut = () => {
      if (++batches > 3) throw new Error("cut");
      return 2;
    };
    await expect(resealAll(database, envelope, cut, () => {})).rejects.toThrow("cut");
    expect(await numbersIn()).toEqual(new Set([1, 2]));
    const changing = { ...envelope, reseal: (sealed: Uint8Array) => envelope.reseal(sealed) };
    const [changed = ""] = ids.toSorted().slice(-1);
    const other = old.seal("changed meanwhile", changed);
    let hasChanged: Promise<unknown> | undefined;
    await resealAll(
      database,
      {
        ...changing,
        reseal(sealed) {
          hasChanged ??= db
            .updateTable("devices")
            .set({ sealed_private_key: other })
            .where("id", "=", changed)
            .execute();
          return envelope.reseal(sealed);
        },
      },
      () => 2,
      () => {},
    );
    await hasChanged;
    await resealAll(
      database,
      envelope,
      () => 2,
      () => {},
    );
    expect(await numbersIn()).toEqual(new Set([2]));
    const row = await db
      .selectFrom("devices")
      .select("sealed_private_key")
      .where("id", "=", changed)
      .executeTakeFirstOrThrow();
    expect(envelope.open(row.sealed_private_key ?? Buffer.of(), changed)).toBe("changed meanwhile");
  });

  test("what cannot be opened is left as it is, told, and keeps its key", async () => {
    const clock = newClock();
    const { rings, troubles } = await openReplica(clock);
    const [id = ""] = await addDevices(3, rings.envelope.seal);
    const broken = rings.envelope.seal("text", id);
    broken[20] = (broken[20] ?? 0) ^ 1;
    await db.updateTable("devices").set({ sealed_private_key: broken }).where("id", "=", id).execute();
    await rings.rotateMasterKeys("acc_1");
    clock.advanceSeconds(86_400);
    await rings.deleteRetired();
    expect((await rings.list()).encryption).toMatchObject([
      { number: 1, sealed: 1 },
      { number: 2, sealed: 2 },
    ]);
    expect(troubles).toContainEqual(expect.objectContaining({ code: "envelope.unopenable" }));
  });
});

describe("two processes", () => {
  test("take each other's tokens and open each other's secrets while both rings rotate, without one failure", async () => {
    const clock = newClock();
    const replicas = [await openReplica(clock), await openReplica(clock)] as const;
    let isOver = false;
    const counts = { tokens: 0, secrets: 0, failures: 0 };
    const exchange = async (from: Replica, to: Replica) => {
      while (!isOver) {
        const token = from.tokens.sign(CLAIMS);
        const sealed = from.rings.envelope.seal("text", "context");
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
        if (to.tokens.verify(token)) counts.tokens++;
        else counts.failures++;
        if (to.rings.envelope.open(sealed, "context") === "text") counts.secrets++;
      }
    };
    const [one, two] = replicas;
    const exchanges = Promise.all([exchange(one, two), exchange(two, one)]);
    for (const { rings } of [one, two, one]) {
      await rings.rotateSigningKeys("acc_1");
      await rings.rotateMasterKeys("acc_1");
    }
    await eventually(() => expect(two.rings.encryptionKeys()[0]?.number).toBe(4));
    isOver = true;
    await exchanges;
    expect(counts.failures).toBe(0);
    expect(Math.min(counts.tokens, counts.secrets)).toBeGreaterThan(200);
    expect(one.rings.signingKeys().map(({ kid }) => kid)).toEqual(
      two.rings.signingKeys().map(({ kid }) => kid),
    );
  });

  test("that rotate at the same moment make one rotation; the other is refused", async () => {
    const clock = newClock();
    const replicas = [await openReplica(clock), await openReplica(clock)];
    const both = (rotate: (replica: Replica) => Promise<void>) =>
      Promise.all(replicas.map((replica) => codeOf(rotate(replica))));
    for (const rotate of [
      ({ rings }: Replica) => rings.rotateSigningKeys("acc_1"),
      ({ rings }: Replica) => rings.rotateMasterKeys("acc_1"),
    ]) {
      expect((await both(rotate)).sort()).toEqual(["keys.rotation_running", "ok"]);
    }
  });

  test("a rotation whose process ends in the middle is finished by another", async () => {
    const clock = newClock();
    const other = await openReplica(clock);
    const jobs = { ...other.jobs, define: () => {} };
    const dying = await openReplica(clock, { withJobs: false, arrivalMs: 2 ** 30, jobs });
    void dying.rings.rotateMasterKeys("acc_1");
    void dying.rings.rotateSigningKeys("acc_1");
    const stateOf = async () => {
      const { signing, encryption } = await other.rings.list();
      return [...signing, ...encryption].map(({ state }) => state);
    };
    await eventually(async () =>
      expect(await stateOf()).toEqual(["signing", "arriving", "sealing", "arriving"]),
    );
    await eventually(async () =>
      expect(await stateOf()).toEqual(["verifying", "signing", "opening", "sealing"]),
    );
  });
});

describe("another MASTER_KEY", () => {
  const NEW_ROOT = new Uint8Array(32).fill(9);
  const withRoots = (masterKey: Uint8Array, previousMasterKey?: Uint8Array) => ({
    withJobs: false,
    secrets: {
      ...SECRETS,
      masterKey,
      ...(previousMasterKey === undefined ? {} : { previousMasterKey }),
    },
  });

  test.each(["before the first rotation", "after a rotation"])("takes the store over, %s", async (when) => {
    const clock = newClock();
    const first = await openReplica(clock);
    const [id = ""] = await addDevices(1, first.rings.envelope.seal);
    if (when === "after a rotation") await first.rings.rotateMasterKeys("acc_1");
    const sealed = first.rings.envelope.seal("text", "context");
    const token = first.tokens.sign(CLAIMS);

    expect(await codeOf(openReplica(clock, withRoots(NEW_ROOT)))).toBe("master_key.wrong");
    expect(await codeOf(openReplica(clock, withRoots(NEW_ROOT, randomBytes(32))))).toBe("master_key.wrong");
    const second = await openReplica(clock, withRoots(NEW_ROOT, ROOT));
    expect((await second.rings.list()).master_key_previous).toBe(true);
    const third = await openReplica(clock, withRoots(NEW_ROOT));
    expect((await third.rings.list()).master_key_previous).toBe(false);
    for (const { rings, tokens } of [second, third]) {
      expect(rings.envelope.open(sealed, "context")).toBe("text");
      expect(tokens.verify(token)).toEqual(CLAIMS);
      const { sealed_private_key } = await db.selectFrom("devices").selectAll().executeTakeFirstOrThrow();
      expect(rings.envelope.open(sealed_private_key ?? Buffer.of(), id)).toBe(`key of ${id}`);
    }
    expect(await codeOf(openReplica(clock, withRoots(ROOT)))).toBe("master_key.wrong");
  });

  test("is not noticed where nothing is sealed yet, or where the previous one is named for no reason", async () => {
    const clock = newClock();
    await openReplica(clock, withRoots(ROOT, NEW_ROOT));
    const second = await openReplica(clock, withRoots(NEW_ROOT, ROOT));
    await addDevices(1, second.rings.envelope.seal);
    const third = await openReplica(clock, withRoots(NEW_ROOT, ROOT));
    expect(third.rings.encryptionKeys()).toEqual([{ number: 1, key: NEW_ROOT }]);
  });

  test("leaves processes that still have the former one at work until they are restarted", async () => {
    const clock = newClock();
    const first = await openReplica(clock);
    await first.rings.rotateMasterKeys("acc_1");
    await openReplica(clock, withRoots(NEW_ROOT, ROOT));
    const sealed = first.rings.envelope.seal("text", "context");
    expect(await codeOf(first.rings.list())).toBe("envelope.unopenable");
    expect(first.rings.envelope.open(sealed, "context")).toBe("text");
    expect(first.tokens.verify(first.tokens.sign(CLAIMS))).toEqual(CLAIMS);
  });
});

test("every column whose name says that it is sealed is in the list of those that are sealed anew", async () => {
  const { rows } = await database.pool.query(`
    select table_name as table, column_name as column from information_schema.columns
    where table_schema = 'public' and column_name like 'sealed\\_%' order by 1, 2`);
  const listed = [...SEALED_COLUMNS.map(({ table, column }) => ({ table, column })), ROOT_SEALED_COLUMN];
  expect(listed.toSorted((a, b) => (a.table < b.table ? -1 : 1))).toEqual(rows);
  const { rows: keys } = await database.pool.query(`
    select k.table_name as table, c.column_name as key, d.data_type as type
    from information_schema.table_constraints k
    join information_schema.constraint_column_usage c using (constraint_schema, constraint_name)
    join information_schema.columns d on d.table_name = k.table_name and d.column_name = c.column_name
    where k.constraint_type = 'PRIMARY KEY' and k.table_schema = 'public'`);
  for (const { table, key } of SEALED_COLUMNS) expect(keys).toContainEqual({ table, key, type: "text" });
});

test("neither the tables nor what is shown hold a key in the clear", async () => {
  const { rings } = await openReplica(newClock());
  await rings.rotateSigningKeys("acc_1");
  await rings.rotateMasterKeys("acc_1");
  const secrets = rings.signingKeys().map((key) => (key.algorithm === "HS256" ? key.secret.reveal() : ""));
  const keys = rings.encryptionKeys().map(({ key }) => Buffer.from(key));
  const forms = [
    ...secrets,
    ...keys.flatMap((key) => [key.toString("base64"), key.toString("hex"), key.toString("latin1")]),
  ];
  const rows = [
    ...(await db.selectFrom("signing_keys").selectAll().execute()),
    ...(await db.selectFrom("encryption_keys").selectAll().execute()),
  ];
  const stored = rows.map((row) => JSON.stringify(row) + row.sealed_key.toString("latin1")).join();
  const shown = JSON.stringify(await rings.list());
  for (const form of forms) expect(stored + shown).not.toContain(form);
});

test("days are all that is kept of when keys were made", async () => {
  const clock = newClock();
  const { rings } = await openReplica(clock);
  await rings.rotateSigningKeys("acc_1");
  const [first] = (await rings.list()).signing;
  expect(first).toMatchObject({
    created_on: dayOf(clock.now()),
    retires_on: dayOf(clock.now() + DAY_MS + 3_600_000),
  });
});

const POOL_V4 = { family: 4, network: 0x0a080000n, prefixLength: 16 } as const;
const POOL_V6 = { family: 6, network: 0xfd5ec0de000800000000000000000000n, prefixLength: 64 } as const;
