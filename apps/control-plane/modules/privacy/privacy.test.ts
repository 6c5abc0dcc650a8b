import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { verifyTrail } from "@securewave/audit-trail";
import { USAGE_HISTORY_TEXT } from "@securewave/contracts/privacy";
import { eventually } from "@securewave/testing/eventually";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, describe, expect, test } from "vitest";
import { codeOf, openTestApp, PASSWORD, type Person } from "../../testing.ts";
import { NOT_EXPORTED } from "./index.ts";
import { monthAfter } from "./requests.ts";

const service = await openTestApp({ jobs: true });
const { clock } = service;
const { db, pool } = service.database;
afterAll(() => service.close());
const proof = { body: { password: PASSWORD } };
const DAY_SECONDS = 86_400;

async function addRevokedDevice(person: Person, name: string): Promise<string> {
  const number = await service.app.dataKeys.numberOf(person.id);
  const key = service.app.dataKeys.of(number);
  const id = `dev_${generateKeyPair()
    .publicKey.replace(/[^a-z0-9]/gi, "")
    .slice(0, 20)
    .toLowerCase()}`;
  await db
    .insertInto("devices")
    .values({
      id,
      account_id: person.id,
      name_index: key.index("devices.name", name),
      name_sealed: key.seal("devices.name", id, name),
      type: "phone",
      state: "revoked",
      public_key: generateKeyPair().publicKey,
      key_origin: "customer",
      created_on: "2026-11-20",
    })
    .execute();
  return id;
}

/** Everything that the tables hold, as text; binary values as hex and as they are. */
async function dump(): Promise<string> {
  const { rows: tables } = await pool.query<{ name: string }>(
    "select format('%I.%I', table_schema, table_name) as name from information_schema.tables where table_type = 'BASE TABLE' and table_schema in ('public', 'jobs')",
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await pool.query(`select * from ${name}`);
    texts.push(
      JSON.stringify(rows, (_, value: unknown) =>
        isBuffer(value)
          ? Buffer.from(value.data).toString("hex") + Buffer.from(value.data).toString("latin1")
          : value,
      ),
    );
  }
  return texts.join("\n");
}

function isBuffer(value: unknown): value is { data: number[] } {
  return typeof value === "object" && value !== null && "type" in value && value.type === "Buffer";
}

describe("what belongs to somebody", () => {
  test("stands in no table as it was given: mail address, password hash, names, secrets", async () => {
    const ann = await service.person();
    await addRevokedDevice(ann, "Ann's canary phone");
    await ann.client.apiKeys.create({
      body: { name: "canary-key", scopes: ["devices:read"], expires_in_days: 1, ...proof.body },
    });
    const { secret } = await ann.client.secondFactor.begin(proof);
    const everything = await dump();
    for (const canary of [ann.email, "Ann's canary phone", "canary-key", secret, "$argon2"])
      expect(everything.includes(canary), canary).toBe(false);
    expect((await ann.client.accounts.me()).email).toBe(ann.email);
    expect((await ann.client.devices.list()).items.map(({ name }) => name)).toEqual(["Ann's canary phone"]);
  });

  test("staff find an account by its whole mail address, in any case, and by its id, not by a part", async () => {
    const [ann, admin] = [await service.person(), await service.admin()];
    const search = async (text: string) =>
      (await admin.client.accounts.list({ query: { search: text } })).items.map(({ id }) => id);
    expect(await search(ann.email.toUpperCase())).toEqual([ann.id]);
    expect(await search(ann.id)).toEqual([ann.id]);
    expect(await search(ann.email.slice(0, 12))).toEqual([]);
  });

  test("cursors hold neither mail addresses nor names", async () => {
    const [ann, admin] = [await service.person(), await service.admin()];
    for (const name of ["Alpha", "Beta", "Gamma"]) await addRevokedDevice(ann, name);
    const accounts = await admin.client.accounts.list({ query: { limit: 1 } });
    expect(Buffer.from(accounts.next_cursor ?? "", "base64url").toString()).toMatch(/^\["acc_[a-z0-9]+"\]$/);
    const names: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await ann.client.devices.list({ query: { limit: 1, ...(cursor && { cursor }) } });
      names.push(...page.items.map(({ name }) => name));
      cursor = page.next_cursor;
      expect(Buffer.from(cursor ?? "", "base64url").toString("latin1")).not.toMatch(/Alpha|Beta|Gamma/);
    } while (cursor !== null);
    expect(names).toEqual(["Alpha", "Beta", "Gamma"]);
    const bea = await service.person();
    const [first] = [await ann.client.devices.list({ query: { limit: 1 } })];
    const query = { cursor: first.next_cursor ?? "" };
    expect(await codeOf(bea.client.devices.list({ query }))).toBe("request.invalid");
  });
});

describe("deletion", () => {
  test("can be taken back until its day; log-ins work meanwhile", async () => {
    const ann = await service.person();
    expect(await codeOf(ann.client.privacy.askDeletion({ body: { password: "not that" } }))).toBe(
      "accounts.wrong_password",
    );
    const { asked_on, due_on } = await ann.client.privacy.askDeletion(proof);
    expect(Date.parse(due_on) - Date.parse(asked_on)).toBe(7 * DAY_SECONDS * 1000);
    expect((await service.logIn(ann.email)).id).toBe(ann.id);
    await service.app.privacy.deletions.eraseDue();
    expect((await ann.client.privacy.show()).deletion).toEqual({ asked_on, due_on });
    await ann.client.privacy.withdrawDeletion();
    expect((await ann.client.privacy.show()).deletion).toBeNull();
    expect(await codeOf(ann.client.privacy.withdrawDeletion())).toBe("privacy.no_deletion");
  });

  test("erases rows, log-ins and what the audit trail has of the person, tells the owner, and destroys the key", async () => {
    const [ann, admin] = [await service.person(), await service.admin()];
    await addRevokedDevice(ann, "Ann's lost phone");
    const { number } = await db
      .selectFrom("accounts")
      .select("number")
      .where("id", "=", ann.id)
      .executeTakeFirstOrThrow();
    await admin.client.accounts.change({ params: { id: ann.id }, body: { role: "support" } });
    await ann.client.privacy.ask({ body: { kind: "other", text: "What do you have of me?" } });
    await ann.client.privacy.askDeletion(proof);
    clock.advanceSeconds(8 * DAY_SECONDS);
    await service.app.privacy.deletions.eraseDue();

    expect(await codeOf(ann.client.accounts.me())).toBe("request.not_logged_in");
    expect(await codeOf(service.logIn(ann.email))).toBe("sessions.wrong_credentials");
    expect(service.app.dataKeys.isForgotten(number)).toBe(true);
    expect(() => service.app.dataKeys.of(number)).toThrow(
      expect.objectContaining({ code: "data_keys.forgotten" }),
    );
    // The queue's letters, such as that it was asked for, come when they come.
    const letters = (await service.mails())
      .filter(({ to }) => to.includes(ann.email))
      .map(({ text }) => text);
    expect(letters).toContainEqual(expect.stringContaining("being erased"));
    const erasures = await db.selectFrom("erasures").selectAll().where("number", "=", number).execute();
    expect(erasures).toHaveLength(1);
    expect(Object.keys(erasures[0] ?? {}).sort()).toEqual(["erased_on", "number"]);

    await service.app.audit.sequence();
    const own = await admin2().then(({ client }) => client.audit.list({ query: { subject: ann.id } }));
    // What staff did to the account stays theirs to answer for.
    expect(own.items.map(({ body }) => body?.kind)).toEqual(["account_changed"]);
    const requests = await db.selectFrom("privacy_requests").selectAll().execute();
    expect(requests).toMatchObject([{ account_id: null, state: "done", text_sealed: null }]);
    // The same address can come anew, as a stranger.
    await service.client().accounts.register({ body: { email: ann.email, password: PASSWORD } });
    const anew = await service.app.accounts.findByEmail(ann.email);
    expect(anew?.id).not.toBe(ann.id);
  });

  test("leaves an audit trail that verifies, with an entry that accounts for what is erased", async () => {
    const ann = await service.person();
    await ann.client.privacy.askDeletion(proof);
    clock.advanceSeconds(8 * DAY_SECONDS);
    await service.app.privacy.deletions.eraseDue();
    const pieces = await service.app.audit.export("system");
    const lines = createInterface({ input: Readable.from(pieces) });
    const report = await verifyTrail(lines);
    expect(report).toMatchObject({ isWhole: true, unrecorded: 0 });
    expect(report.erased).toBeGreaterThan(0);
  });

  test("leaves nothing of the person in what PostgreSQL samples, also where a table is left empty", async () => {
    const people = [await service.person(), await service.person()];
    for (const person of people) {
      await addRevokedDevice(person, "Canary phone");
      await person.client.apiKeys.create({
        body: { name: "canary", scopes: ["devices:read"], expires_in_days: 1, ...proof.body },
      });
      await person.client.privacy.askDeletion(proof);
    }
    const ids = people.map(({ id }) => id);
    const accounts = await db.selectFrom("accounts").selectAll().where("id", "in", ids).execute();
    const devices = await db.selectFrom("devices").selectAll().where("account_id", "in", ids).execute();
    const canaries = [
      ...ids,
      ...accounts.map(({ email_index }) => email_index.toString("hex")),
      ...devices.flatMap(({ id, public_key }) => [id, public_key]),
    ];
    /** Which of them stand where. */
    const sampled = async () => {
      const { rows } = await pool.query<{ place: string; values: string }>(
        `select tablename || '.' || attname as place,
           concat(most_common_vals::text, histogram_bounds::text, most_common_elems::text) as values
         from pg_stats where schemaname in ('public', 'jobs')`,
      );
      return canaries.flatMap((canary) =>
        rows.filter(({ values }) => values.includes(canary)).map(({ place }) => ({ canary, place })),
      );
    };
    await service.app.audit.sequence();
    await pool.query("analyze");
    expect(new Set((await sampled()).map(({ canary }) => canary))).toEqual(new Set(canaries));

    clock.advanceSeconds(8 * DAY_SECONDS);
    await service.app.privacy.deletions.eraseDue();
    const { rowCount } = await pool.query("select from deletions");
    expect(rowCount, "a table is left empty").toBe(0);
    expect((await sampled()).filter(({ place }) => !place.startsWith("job"))).toEqual([]);
    // Letters that are done stay in the queue for an hour; the next day's run sees to what was sampled of them.
    await pool.query("delete from jobs.job");
    clock.advanceSeconds(DAY_SECONDS);
    await service.app.privacy.deletions.eraseDue();
    expect(await sampled()).toEqual([]);
  });

  test("of the last active admin is refused", async () => {
    const boss = await admin2();
    const admins = await db.selectFrom("accounts").select("id").where("role", "=", "admin").execute();
    for (const { id } of admins)
      if (id !== boss.id)
        await db.updateTable("accounts").set({ state: "suspended" }).where("id", "=", id).execute();
    expect(await codeOf(boss.client.privacy.askDeletion(proof))).toBe("accounts.last_admin");
    await db.updateTable("accounts").set({ state: "active" }).where("role", "=", "admin").execute();
  });

  test("by staff is done at once where they say so, is recorded, and is for admins alone", async () => {
    const [ann, boss, support] = [await service.person(), await admin2(), await service.person("support")];
    const input = { params: { id: ann.id }, body: { is_at_once: true } };
    expect(await codeOf(support.client.privacyDesk.erase(input))).toBe("request.not_allowed");
    const { asked_on, due_on } = await boss.client.privacyDesk.erase(input);
    expect(due_on).toBe(asked_on);
    await service.app.privacy.deletions.eraseDue();
    expect(await codeOf(boss.client.accounts.show({ params: { id: ann.id } }))).toBe("accounts.not_found");
    await service.app.audit.sequence();
    const acts = await boss.client.audit.list({ query: { subject: ann.id } });
    expect(acts.items.map(({ body }) => [body?.kind, body?.actor])).toEqual([
      ["deletion_requested", boss.id],
    ]);
  });
});

describe("everything about me", () => {
  test("is one JSON value with every section, what its fields mean, and what is there", async () => {
    const ann = await service.person();
    await addRevokedDevice(ann, "Ann's phone");
    const { json, headers } = await service.send("/api/account/export", {
      token: ann.token,
      body: proof.body,
    });
    expect(headers.get("content-disposition")).toContain("attachment");
    expect(json).toMatchObject({ format: "securewave-export", version: 1, account_id: ann.id });
    const section = (name: string) => json.sections.find((each: { name: string }) => each.name === name);
    expect(section("account").items).toMatchObject([{ id: ann.id, email: ann.email }]);
    expect(section("devices").items).toMatchObject([
      { name: "Ann's phone", connection: { connected: false } },
    ]);
    expect(section("sessions").items).toHaveLength(1);
    expect(section("devices").fields.type).toEqual(expect.any(String));
    expect(JSON.stringify(json)).not.toContain("$argon2");
    expect(await codeOf(ann.client.privacy.export({ body: { password: "wrong" } }))).toBe(
      "accounts.wrong_password",
    );
  });

  test("leaves no table out: each with an account's rows has a collector, or a reason not to", async () => {
    const { rows } = await pool.query<{ name: string }>(
      "select table_name as name from information_schema.columns where table_schema = 'public' and column_name = 'account_id'",
    );
    const covered = new Set([
      ...service.app.privacy.collectors.flatMap(({ tables }) => tables),
      ...Object.keys(NOT_EXPORTED),
    ]);
    expect(rows.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([]);
  });
});

describe("a usage history", () => {
  test("is kept for those alone who agreed, in rows of one length, and shown to them", async () => {
    const [ann, bea] = [await service.person(), await service.person()];
    expect((await ann.client.privacy.show()).usage_history.is_on).toBe(false);
    expect(await codeOf(ann.client.privacy.keepHistory({ body: { text_version: "older" } }))).toBe(
      "privacy.text_changed",
    );
    await ann.client.privacy.keepHistory({ body: { text_version: USAGE_HISTORY_TEXT.version } });
    const write = (day: string, mebibytes: number) =>
      service.database.transaction((trx) => service.app.privacy.history.writeDay(trx, day, () => mebibytes));
    await write("2026-11-20", 0);
    await write("2026-11-21", 123_456_789);
    const { rows } = await pool.query(
      "select account_id, octet_length(mebibytes_sealed) as bytes from usage_history",
    );
    expect(new Set(rows.map(({ account_id }) => account_id))).toEqual(new Set([ann.id]));
    expect(new Set(rows.map(({ bytes }) => bytes)).size).toBe(1);
    expect((await ann.client.privacy.history()).items).toEqual([
      { day: "2026-11-21", mebibytes: 123_456_789 },
      { day: "2026-11-20", mebibytes: 0 },
    ]);
    expect((await bea.client.privacy.history()).items).toEqual([]);
  });

  test("switched off is deleted, its key destroyed, and the account's own key is not", async () => {
    const ann = await service.person();
    await ann.client.privacy.keepHistory({ body: { text_version: USAGE_HISTORY_TEXT.version } });
    const consent = await service.app.privacy.history.find(ann.id);
    await service.database.transaction((trx) =>
      service.app.privacy.history.writeDay(trx, "2026-11-21", () => 5),
    );
    expect((await ann.client.privacy.forgetHistory()).usage_history.is_on).toBe(false);
    expect(service.app.dataKeys.isForgotten(consent?.number ?? -1)).toBe(true);
    expect(
      await db.selectFrom("usage_history").selectAll().where("account_id", "=", ann.id).execute(),
    ).toEqual([]);
    expect((await ann.client.accounts.me()).email).toBe(ann.email);
    const records = await db.selectFrom("consents").selectAll().where("account_id", "=", ann.id).execute();
    expect(records).toMatchObject([{ text_version: USAGE_HISTORY_TEXT.version, number: null }]);
    await ann.client.privacy.keepHistory({ body: { text_version: USAGE_HISTORY_TEXT.version } });
    expect((await ann.client.privacy.history()).items).toEqual([]);
  });
});

test("a usage history that is switched off while its day is written is deleted all the same", async () => {
  const ann = await service.person();
  await ann.client.privacy.keepHistory({ body: { text_version: USAGE_HISTORY_TEXT.version } });
  const written = Promise.withResolvers<void>();
  const mayEnd = Promise.withResolvers<void>();
  const writing = service.database.transaction(async (trx) => {
    await service.app.privacy.history.writeDay(trx, "2026-11-21", () => 5);
    written.resolve();
    await mayEnd.promise;
  });
  await written.promise;
  const forgetting = ann.client.privacy.forgetHistory();
  const waits = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%consents%'";
  await eventually(async () => expect((await pool.query(waits)).rows).not.toEqual([]));
  mayEnd.resolve();
  await writing;
  expect((await forgetting).usage_history.is_on).toBe(false);
  expect(await db.selectFrom("usage_history").selectAll().where("account_id", "=", ann.id).execute()).toEqual(
    [],
  );
});

describe("requests", () => {
  test("are due within a month, and the month's last day where it lacks the day", () => {
    expect(monthAfter(Date.parse("2026-11-21T23:00:00Z"))).toBe("2026-12-21");
    expect(monthAfter(Date.parse("2026-01-31T00:00:00Z"))).toBe("2026-02-28");
    expect(monthAfter(Date.parse("2026-12-31T00:00:00Z"))).toBe("2027-01-31");
  });

  test("staff see what is due first, and close each once", async () => {
    const [ann, support] = [await service.person(), await service.person("support")];
    const { id } = await ann.client.privacy.ask({ body: { kind: "other", text: "Correct my name, please" } });
    const open = await support.client.privacyDesk.requests({ query: { state: "open" } });
    expect(open.items.at(-1)).toMatchObject({ id, account_id: ann.id, text: "Correct my name, please" });
    const close = () => support.client.privacyDesk.close({ params: { id }, body: { state: "done" } });
    expect(await close()).toMatchObject({ state: "done" });
    expect(await codeOf(close())).toBe("privacy.request_closed");
    expect((await ann.client.privacy.ownRequests()).items).toMatchObject([{ id, state: "done" }]);
  });
});

test("who agrees to the present privacy policy is recorded with version and day", async () => {
  const ann = await service.person();
  expect((await ann.client.privacy.show()).policy).toEqual({
    version: "1",
    agreed_version: null,
    agreed_on: null,
  });
  expect(await codeOf(ann.client.privacy.agree({ body: { version: "0" } }))).toBe("privacy.text_changed");
  expect((await ann.client.privacy.agree({ body: { version: "1" } })).policy.agreed_version).toBe("1");
});

test("a registration notes the policy that was agreed to, the last one counts, and nobody agrees for another", async () => {
  const visitor = service.client();
  const agreedBy = async (email: string) => {
    const account = await service.app.accounts.findByEmail(email);
    return (await service.app.privacy.policy.show(account?.id ?? "")).agreed_version;
  };
  const register = (email: string, policy_version?: string) =>
    visitor.accounts.register({
      body: { email, password: PASSWORD, ...(policy_version !== undefined && { policy_version }) },
    });
  await register("agreeing@example.org", "1");
  expect(await agreedBy("agreeing@example.org")).toBe("1");
  clock.advanceSeconds(DAY_SECONDS);
  await register("agreeing@example.org");
  expect(await agreedBy("agreeing@example.org")).toBeNull();
  await register("older@example.org", "0");
  expect(await agreedBy("older@example.org")).toBeNull();
  const ann = await service.person();
  await register(ann.email, "1");
  expect(await agreedBy(ann.email)).toBeNull();
  await ann.client.privacy.agree({ body: { version: "1" } });
  await register(ann.email);
  expect(await agreedBy(ann.email)).toBe("1");
  expect((await visitor.service.info()).policy_version).toBe("1");
});

/** An admin whose log-in is of today: time passes in these tests. */
function admin2(): Promise<Person> {
  return service.person("admin");
}
