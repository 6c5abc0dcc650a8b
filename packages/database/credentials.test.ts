import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Credentials, urlWith } from "./credentials.ts";
import { type Database, notify, openDatabase } from "./open.ts";
import { openTestDatabase, type TestDatabase } from "./testing.ts";
import { runOn, setup } from "./testing-global-setup.ts";

let teardown: (() => Promise<void>) | undefined;
let owner: TestDatabase;
const opened: Database[] = [];
const roles: string[] = [];

beforeAll(async () => {
  if (process.env.TEST_DATABASE_TEMPLATE === undefined) teardown = await setup();
  owner = await openTestDatabase({ poolMax: 4 });
  await owner.pool.query("create table rows (id int generated always as identity, by text not null)");
  await owner.pool.query("grant select, insert on rows to public");
});

afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
  for (const role of roles.splice(0)) await owner.pool.query(`drop role if exists ${role}`);
});

afterAll(async () => {
  await owner?.close();
  await teardown?.();
});

/** A login of its own on the real server. */
async function createRole(): Promise<Credentials> {
  const user = `securewave_role_${randomBytes(6).toString("hex")}`;
  const password = randomBytes(12).toString("base64");
  await owner.pool.query(`create role ${user} login password '${password}'`);
  roles.push(user);
  return { user, password };
}

async function openWithRotation(first: Credentials, poolMax: number) {
  let credentials = first;
  const listeners: (() => Promise<void>)[] = [];
  const database = await openDatabase({
    url: owner.url,
    credentials: { current: () => credentials, onChange: (changed) => void listeners.push(changed) },
    poolMax,
    statementTimeoutMs: 10_000,
  });
  opened.push(database);
  return {
    database,
    async rotate(next: Credentials) {
      credentials = next;
      await Promise.all(listeners.map((changed) => changed()));
    },
  };
}

/** How many connections of this database a login has. */
async function sessionsOf(user: string): Promise<number> {
  const { rows } = await owner.pool.query(
    "select count(*) from pg_stat_activity where datname = current_database() and usename = $1",
    [user],
  );
  return rows[0].count;
}

/** Who asks, in every form in which code asks. */
async function ask({ db, pool, transaction }: Database, form: number): Promise<string> {
  const whoAmI = sql<{ user: string }>`select current_user as user`;
  if (form % 3 === 0) return (await pool.query("select current_user as user")).rows[0].user;
  if (form % 3 === 1) return (await whoAmI.execute(db)).rows[0]?.user ?? "";
  return transaction(async (trx) => {
    await sql`insert into rows (by) values (current_user)`.execute(trx);
    await sql`select pg_sleep(0.01)`.execute(trx);
    return (await whoAmI.execute(trx)).rows[0]?.user ?? "";
  });
}

test("eight callers in loops see no failure while the login changes, and the former ones can be dropped", async () => {
  const logins = [await createRole(), await createRole(), await createRole(), await createRole()];
  const [first, ...others] = logins as [Credentials, ...Credentials[]];
  const { database, rotate } = await openWithRotation(first, 4);
  const seen = new Map<string, number>();
  const failures: unknown[] = [];
  let isOver = false;
  const callers = Array.from({ length: 8 }, async (_, caller) => {
    while (!isOver) {
      const user = await ask(database, caller).catch((error) => void failures.push(error));
      seen.set(user ?? "", (seen.get(user ?? "") ?? 0) + 1);
    }
  });
  let former = first;
  for (const next of others) {
    await sleep(150);
    await rotate(next);
    expect(await sessionsOf(former.user)).toBe(0);
    await owner.pool.query(`drop role ${former.user}`);
    former = next;
  }
  await sleep(150);
  isOver = true;
  await Promise.all(callers);
  expect(failures).toEqual([]);
  expect([...seen.keys()].sort()).toEqual(logins.map(({ user }) => user).sort());
  expect(Math.min(...seen.values())).toBeGreaterThan(8);
}, 30_000);

test("work that has begun ends under the login it began with, and then its connection closes", async () => {
  const [first, second] = [await createRole(), await createRole()];
  const { database, rotate } = await openWithRotation(first, 4);
  await Promise.all([1, 2, 3].map(() => database.ping()));
  const begun = Promise.withResolvers<void>();
  const mayEnd = Promise.withResolvers<void>();
  const whoAmI = sql<{ user: string }>`select current_user as user`;
  const work = database.transaction(async (trx) => {
    await whoAmI.execute(trx);
    begun.resolve();
    await mayEnd.promise;
    return (await whoAmI.execute(trx)).rows[0]?.user;
  });
  await begun.promise;
  let isDrained = false;
  const rotated = rotate(second).then(() => {
    isDrained = true;
  });
  await expect.poll(() => sessionsOf(first.user)).toBe(1); // the idle ones are gone
  expect(await ask(database, 0)).toBe(second.user);
  expect(isDrained).toBe(false);
  mayEnd.resolve();
  expect(await work).toBe(first.user);
  await rotated;
  expect(await sessionsOf(first.user)).toBe(0);
});

test("the listener moves too: it hears what is sent after, and is told of a gap", async () => {
  const [first, second] = [await createRole(), await createRole()];
  const { database, rotate } = await openWithRotation(first, 2);
  const heard: string[] = [];
  let gaps = 0;
  await database.listen("news", { onMessage: (payload) => heard.push(payload), onGap: () => gaps++ });
  await notify(owner.db, "news", "before");
  await expect.poll(() => heard).toEqual(["before"]);
  await rotate(second);
  expect([await sessionsOf(first.user), gaps]).toEqual([0, 1]);
  await notify(owner.db, "news", "after");
  await database.listen("other", { onMessage: (payload) => heard.push(payload), onGap: () => gaps++ });
  await notify(owner.db, "other", "elsewhere");
  await expect.poll(() => heard).toEqual(["before", "after", "elsewhere"]);
});

test("a message sent while the listener moves is heard or told as a gap", async () => {
  const [first, second] = [await createRole(), await createRole()];
  const { database, rotate } = await openWithRotation(first, 2);
  const heard: number[] = [];
  let heardAtGap = -1;
  await database.listen("news", {
    onMessage: (payload) => heard.push(Number(payload)),
    onGap: () => {
      heardAtGap = Math.max(...heard, 0);
    },
  });
  let sent = 0;
  let isOver = false;
  const sender = (async () => {
    while (!isOver) await notify(owner.db, "news", String(++sent));
  })();
  await expect.poll(() => heard.length).toBeGreaterThan(5);
  await rotate(second);
  const sentAtGap = sent;
  await expect.poll(() => heard.length > 0 && Math.max(...heard) > sentAtGap + 5).toBe(true);
  isOver = true;
  await sender;
  await expect.poll(() => heard.at(-1)).toBe(sent);
  const after = heard.filter((number) => number > sentAtGap);
  expect(after).toEqual(Array.from({ length: sent - sentAtGap }, (_, index) => sentAtGap + 1 + index));
  expect(heardAtGap).toBeGreaterThan(0);
});

test("any login can stand in the url, and takes the place of one that is there", () => {
  const odd = { user: "v-a/b:c@d", password: "p@ss:w/rd%?#&" };
  const url = new URL(urlWith("postgres://someone:else@db.example.org:5433/securewave?sslmode=require", odd));
  expect([url.username, url.password].map(decodeURIComponent)).toEqual([odd.user, odd.password]);
  expect([url.host, url.pathname, url.search]).toEqual([
    "db.example.org:5433",
    "/securewave",
    "?sslmode=require",
  ]);
});

test("a login with odd characters in its password is taken by the server", async () => {
  const login = await createRole();
  const password = "p@ss:w/rd%41?#&+ ü";
  await runOn(owner.url, `alter role ${login.user} password '${password}'`);
  const { database } = await openWithRotation({ user: login.user, password }, 1);
  expect(await ask(database, 0)).toBe(login.user);
});
