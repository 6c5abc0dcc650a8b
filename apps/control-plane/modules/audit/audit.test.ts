import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseVerifier, verifyTrail } from "@securewave/audit-trail";
import type { AUDIT_KINDS, AuditEntry } from "@securewave/contracts";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOf, openTestApp, PASSWORD, type Person } from "../../testing.ts";

const service = await openTestApp({ settings: { AUDIT_RETENTION_DAYS: "30" } });
afterAll(() => service.close());
let admin: Person;
beforeAll(async () => {
  admin = await service.admin();
});

async function entries(query: { kind?: (typeof AUDIT_KINDS)[number]; subject?: string } = {}) {
  await service.app.audit.sign();
  const found: AuditEntry[] = [];
  let cursor: string | undefined;
  do {
    const page = await admin.client.audit.list({
      query: { limit: 100, ...query, ...(cursor ? { cursor } : {}) },
    });
    found.push(...page.items);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

async function exported(): Promise<{ lines: string[]; verifierKey: string; note: string }> {
  const text = await admin.client.audit.export();
  const { verifier_key: verifierKey, note } = await admin.client.audit.checkpoint();
  return { lines: String(text).trimEnd().split("\n"), verifierKey, note };
}

async function verify(known?: string) {
  const { lines, verifierKey } = await exported();
  const verifier = parseVerifier(verifierKey);
  if (!verifier) throw new Error("the verifier key is one");
  return verifyTrail(lines, { verifier, ...(known === undefined ? {} : { known }) });
}

describe("the trail", () => {
  test("holds what people do, each by its id, and no name, mail address or moment of a customer", async () => {
    const person = await service.person();
    await service.send("/api/auth/login", { body: { email: person.email, password: "not the password" } });
    await person.client.sessions.logOutEverywhere();
    const found = await entries({ subject: person.id });
    expect(found.map(({ body }) => body?.kind).sort()).toEqual([
      "login_refused",
      "login_succeeded",
      "sessions_ended",
    ]);
    const text = JSON.stringify(found);
    expect(text).not.toContain(person.email);
    for (const { body } of found) expect(body?.time).toMatch(/^\d{4}-\d\d-\d\d$/);
  });

  test("holds what staff do to the second", async () => {
    await admin.client.service.changeSettings({ body: { service_name: "Wave" } });
    const [newest] = await entries({ kind: "settings_changed" });
    expect(newest?.body).toMatchObject({ actor: admin.id, details: { names: ["service_name"] } });
    expect(newest?.body?.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(JSON.stringify(newest)).not.toContain("Wave");
  });

  test("counts refused log-ins of one sort, so that an attack writes a line and not thousands", async () => {
    const person = await service.person();
    for (let attempt = 0; attempt < 4; attempt++)
      await service.send("/api/auth/login", { body: { email: person.email, password: `wrong ${attempt}` } });
    const found = await entries({ kind: "login_refused", subject: person.id });
    expect(found.map(({ body }) => body?.details)).toEqual([{ method: "password", count: 4 }]);
    expect(found[0]?.body?.origin).toMatch(/^[A-Za-z0-9_-]{16}$/);
  });

  test("is for admins alone", async () => {
    const [customer, support] = [await service.person(), await service.person("support")];
    for (const { client } of [customer, support])
      expect(await codeOf(client.audit.list())).toBe("request.not_allowed");
  });

  test("is gapless and whole, also when many act at once", async () => {
    const people = await Promise.all(Array.from({ length: 5 }, () => service.person()));
    await Promise.all(
      Array.from({ length: 50 }, (_, at) => service.logIn(people[at % 5]?.email ?? "", PASSWORD)),
    );
    const all = await entries();
    expect(all.map(({ index }) => index)).toEqual(all.map((_, at) => all.length - 1 - at));
    expect(await verify()).toMatchObject({ isWhole: true, entries: all.length });
  });

  test("proves of an entry that it stands in it", async () => {
    const { leaf, size, proof, note } = await admin.client.audit.proof({ query: { index: 1 } });
    expect([leaf.length, proof.length > 0, note.includes(`\n${size}\n`)]).toEqual([44, true, true]);
    expect(await codeOf(admin.client.audit.proof({ query: { index: 1e9 } }))).toBe("audit.not_found");
  });

  test("an act that was written and not yet sequenced is not lost", async () => {
    const body = JSON.stringify({
      kind: "account_created",
      actor: "system",
      subject: "acc_x",
      details: {},
      time: "2026-11-20",
    });
    await sql`insert into audit_queue (salt, body) values (${Buffer.alloc(16, 1)}, ${body})`.execute(
      service.database.db,
    );
    expect((await entries({ subject: "acc_x" })).length).toBe(1);
  });
});

describe("whoever has the database itself", () => {
  const run = (statement: string) => sql.raw(statement).execute(service.database.db);

  test.each([
    "update audit_entries set body = jsonb_set(body, '{actor}', '\"acc_nobody\"') where index = 2",
    "delete from audit_entries where index = 2",
    "truncate audit_entries",
  ])("cannot just %s", async (statement) => {
    await expect(run(statement)).rejects.toThrow();
  });

  test.each([
    [
      "changes an entry",
      "update audit_entries set body = jsonb_set(body, '{actor}', '\"acc_nobody\"') where index = 2",
      2,
    ],
    ["removes an entry", "delete from audit_entries where index = 2", 2],
    [
      "exchanges two entries",
      "update audit_entries set index = case index when 2 then -3 when 3 then -2 end where index in (2, 3); update audit_entries set index = -index where index < 0",
      2,
    ],
    [
      "changes a hash",
      "update audit_entries set leaf = decode(repeat('00', 32), 'hex'), body = null, salt = null where index = 2",
      undefined,
    ],
  ])("and %s behind the guard's back is found out", async (_, statement, at) => {
    await run("create table before as select * from audit_entries");
    await run("alter table audit_entries disable trigger all");
    await run(statement);
    const report = await verify();
    expect(report.isWhole).toBe(false);
    if (at !== undefined) expect(report.at).toBe(at);
    await run("delete from audit_entries where index in (select index from before)");
    await run("insert into audit_entries select * from before; drop table before");
    await run("alter table audit_entries enable trigger all");
    expect(await verify()).toMatchObject({ isWhole: true });
  });

  test("and cuts the end off is found out by a checkpoint that was kept elsewhere", async () => {
    const { note } = await exported();
    await run(
      "create table before as select * from audit_entries; create table tree_before as select * from audit_tree",
    );
    await run("alter table audit_entries disable trigger all");
    const size = Number(note.split("\n")[1]);
    await run(
      `delete from audit_entries where index >= ${size - 3}; delete from audit_checkpoints where size > ${size - 3}`,
    );
    const { lines, verifierKey } = await (async () => {
      const rows = await service.database.db
        .selectFrom("audit_entries")
        .selectAll()
        .orderBy("index")
        .execute();
      return {
        lines: rows.map(({ index, leaf, salt, body }) =>
          JSON.stringify({
            entry: {
              index: Number(index),
              leaf: leaf.toString("base64"),
              salt: salt?.toString("base64") ?? null,
              body,
            },
          }),
        ),
        verifierKey: service.app.audit.verifierKey,
      };
    })();
    const verifier = parseVerifier(verifierKey);
    if (!verifier) throw new Error("the verifier key is one");
    expect(await verifyTrail(lines, { verifier, known: note })).toMatchObject({
      isWhole: false,
      at: size - 3,
    });
    await run("delete from audit_entries; insert into audit_entries select * from before; drop table before");
    await run(
      "delete from audit_tree; insert into audit_tree select * from tree_before; drop table tree_before",
    );
    await run("alter table audit_entries enable trigger all");
  });
});

describe("retention", () => {
  test("moves old entries into a file, and the trail stays whole", async () => {
    const before = (await entries()).length;
    service.clock.advanceSeconds(40 * 86_400);
    await service.app.audit.archiveOld();
    admin = await service.logIn(admin.email);
    const report = await verify();
    expect(report).toMatchObject({ isWhole: true });
    expect(report.erased).toBeGreaterThanOrEqual(before);
    const dir = join(service.config.store.dir, "audit-archive");
    const [name = ""] = readdirSync(dir);
    const lines = readFileSync(join(dir, name), "utf8").trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(before);
    const verifier = parseVerifier(service.app.audit.verifierKey);
    expect(verifier && (await verifyTrail(lines, { verifier }))).toMatchObject({ isWhole: true, erased: 0 });
    expect((await entries({ kind: "audit_archived" })).length).toBe(1);
  });
});
