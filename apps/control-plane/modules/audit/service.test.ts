import { AUDIT_KINDS, type AuditKind } from "@securewave/contracts";
import { createId } from "@securewave/foundation";
import { describe, expect, test } from "vitest";
import type { Act } from "./act.ts";
import type { Audit } from "./service.ts";
import { logIn, staff, useTrail } from "./testing.ts";

const trail = await useTrail();
const { database, run, open, fill, verify, bodies } = trail;
const { db } = database;

describe("an act", () => {
  test("stands in the trail exactly if its transaction commits", async () => {
    const account = createId("account");
    await database.transaction((trx) => trail.audit.record(trx, logIn(account)));
    const failed = database.transaction(async (trx) => {
      await trail.audit.record(trx, logIn());
      throw new Error("the act failed");
    });
    await expect(failed).rejects.toThrow("the act failed");
    await trail.audit.sequence();
    expect((await bodies()).map((body) => body?.actor)).toEqual([account]);
  });

  test("of a customer is known by its day, of staff to the second, of an attack by its day", async () => {
    const [one, other, block] = [createId("account"), createId("account"), createId("block")];
    const details = { reason: "violations", minutes: 10 };
    const acts: [Act, string][] = [
      [logIn(one), "2026-11-20"],
      [{ kind: "sessions_ended", actor: one, subject: one }, "2026-11-20"],
      [{ kind: "sessions_ended", actor: staff, subject: one }, "2026-11-20T12:34:56Z"],
      [{ kind: "refresh_reused", actor: "unknown", subject: one }, "2026-11-20"],
      [{ kind: "second_factor_reset_by_staff", actor: staff, subject: other }, "2026-11-20T12:34:56Z"],
      [
        { kind: "settings_changed", actor: staff, subject: "service", details: { names: ["a"] } },
        "2026-11-20T12:34:56Z",
      ],
      [{ kind: "block_added", actor: staff, subject: block, details }, "2026-11-20T12:34:56Z"],
      [{ kind: "block_added", actor: "system", subject: block, details }, "2026-11-20"],
    ];
    for (const [act] of acts) await trail.audit.record(db, act);
    await trail.audit.sequence();
    expect((await bodies()).map((body) => body?.time)).toEqual(acts.map(([, time]) => time));
  });

  test("tells only what its kind has, and never what could be an address", async () => {
    const details = { role: "admin" as const, email: "ada@example.org" };
    await trail.audit.record(db, {
      kind: "account_changed",
      actor: staff,
      subject: createId("account"),
      details,
    });
    await trail.audit.sequence();
    expect((await bodies())[0]?.details).toEqual({ role: "admin" });
    for (const actor of ["ada@example.org", "203.0.113.7", "2001:db8::1", "", "a b"])
      await expect(
        trail.audit.record(db, { kind: "session_ended", actor, subject: staff }),
      ).rejects.toThrow();
    const wrong = { names: ["ada@example.org"] };
    await expect(
      trail.audit.record(db, { kind: "settings_changed", actor: staff, subject: "service", details: wrong }),
    ).rejects.toThrow();
  });

  test("of each kind that there is can be filtered by", async () => {
    const page = (kind: AuditKind) => trail.audit.list({ kind }, {});
    await fill(3);
    for (const kind of AUDIT_KINDS)
      expect((await page(kind)).items.length).toBe(kind === "login_succeeded" ? 3 : 0);
  });
});

describe("places", () => {
  test("are gapless when fifty act at once in two processes, each act once", async () => {
    const second = open();
    const accounts = Array.from({ length: 50 }, () => createId("account"));
    await Promise.all(
      accounts.map((account, at) => {
        const own = at % 2 ? trail.audit : second;
        return database.transaction((trx) => own.record(trx, logIn(account)));
      }),
    );
    await Promise.all([trail.audit.sequence(), second.sequence(), trail.audit.sign(), second.sign()]);
    const rows = await db.selectFrom("audit_entries").select("index").orderBy("index").execute();
    expect(rows.map(({ index }) => index)).toEqual(accounts.map((_, at) => at));
    expect((await bodies()).map((body) => body?.actor).sort()).toEqual(accounts.sort());
    expect(await verify()).toMatchObject({ isWhole: true, entries: 50 });
  });

  test("are given to what a killed process has left, by the next one that starts", async () => {
    await trail.audit.record(db, logIn());
    await trail.audit.close(); // its time to give places never came
    expect(await bodies()).toEqual([]);
    open();
    await expect.poll(async () => (await bodies()).length).toBe(1);
  });

  test("are given by themselves a moment after the act, also once the store is back", async () => {
    await run("alter table audit_tree rename to away");
    await trail.audit.record(db, logIn());
    await expect.poll(() => trail.errors.length).toBe(1);
    await run("alter table away rename to audit_tree");
    expect(await bodies()).toEqual([]);
    await trail.audit.record(db, logIn());
    await trail.audit.sequence();
    expect((await bodies()).length).toBe(2);
  });
});

describe("what happens in an attack", () => {
  const refused = (subject: string, origin = "tag_1"): Parameters<Audit["recordLater"]>[0] => ({
    kind: "login_refused",
    actor: "unknown",
    subject,
    details: { method: "password" },
    origin,
  });

  test("is counted by account and origin, and written by its day", async () => {
    const account = createId("account");
    for (let at = 0; at < 7; at++) trail.audit.recordLater(refused(account));
    trail.audit.recordLater(refused(account, "tag_2"));
    trail.audit.recordLater(refused("unknown"));
    await trail.audit.sign();
    const told = (await bodies()).map((body) => [body?.subject, body?.origin, body?.details, body?.time]);
    expect(told).toEqual([
      [account, "tag_1", { method: "password", count: 7 }, "2026-11-20"],
      [account, "tag_2", { method: "password", count: 1 }, "2026-11-20"],
      ["unknown", "tag_1", { method: "password", count: 1 }, "2026-11-20"],
    ]);
  });

  test("does not flood the trail: of 100,000 tries over many origins a few lines are left", async () => {
    for (let at = 0; at < 100_000; at++) trail.audit.recordLater(refused("unknown", `tag_${at % 5000}`));
    await trail.audit.sign();
    const all = await bodies();
    expect(all.length).toBe(51);
    const counts = all.map((body) => Object(body?.details).count as number);
    expect(counts.reduce((sum, count) => sum + count)).toBe(100_000);
    expect(all.at(-1)).not.toHaveProperty("origin");
  });

  test("is kept when the store is away, and written when it is back", async () => {
    trail.audit.recordLater(refused("unknown"));
    await run("alter table audit_queue rename to away");
    await expect(trail.audit.sign()).rejects.toThrow();
    trail.audit.recordLater(refused("unknown"));
    await run("alter table away rename to audit_queue");
    await trail.audit.sign();
    expect((await bodies()).map((body) => body?.details)).toEqual([{ method: "password", count: 2 }]);
  });

  test("is written when the process ends", async () => {
    trail.audit.recordLater(refused("unknown"));
    await trail.audit.close();
    await open().sign();
    expect((await bodies()).length).toBe(1);
  });
});

describe("one entry", () => {
  test("is found by a part of an id, by its day, and page by page", async () => {
    const account = createId("account");
    await fill(3);
    await fill(2, () => logIn(account));
    trail.clock.advanceSeconds(86_400);
    await fill(2);
    const indexes = async (filter: Parameters<Audit["list"]>[0], page: Parameters<Audit["list"]>[1] = {}) =>
      (await trail.audit.list(filter, page)).items.map(({ index }) => index);
    expect(await indexes({}, { search: account.slice(6, 14).toUpperCase() })).toEqual([4, 3]);
    expect(await indexes({}, { search: "%" })).toEqual([]);
    expect(await indexes({}, { search: "LOGIN succ" })).toEqual([6, 5, 4, 3, 2, 1, 0]);
    expect(await indexes({}, { search: "login_succeeded", limit: 1 })).toEqual([6]);
    expect(await indexes({}, { search: "passw" })).toEqual([6, 5, 4, 3, 2, 1, 0]);
    expect(await indexes({ actor: account })).toEqual([4, 3]);
    expect(await indexes({ from: "2026-11-21" })).toEqual([6, 5]);
    expect(await indexes({ to: "2026-11-20", subject: account })).toEqual([4, 3]);
    const first = await trail.audit.list({}, { limit: 4 });
    expect(first.items.map(({ index }) => index)).toEqual([6, 5, 4, 3]);
    expect(await indexes({}, { limit: 4, cursor: first.next_cursor ?? "" })).toEqual([2, 1, 0]);
    const foreign = Buffer.from('["name"]').toString("base64url");
    await expect(indexes({}, { cursor: foreign })).rejects.toMatchObject({ code: "request.invalid" });
  });
});
