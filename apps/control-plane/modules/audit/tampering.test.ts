import { append, EMPTY_FRONTIER, leafOf } from "@securewave/audit-trail";
import { sql } from "kysely";
import { beforeEach, describe, expect, test } from "vitest";
import { logIn, useTrail } from "./testing.ts";

const trail = await useTrail();
const { database, unguarded, open, fill, verify, bodies } = trail;
const { db } = database;

describe("whoever has the database itself", () => {
  beforeEach(async () => {
    await fill(12);
    await trail.audit.sign();
    await fill(12);
  });

  test.each([
    "update audit_entries set body = '{}' where index = 7",
    "update audit_entries set salt = null, body = null where index = 7",
    "set securewave.erasing = 'on'; update audit_entries set leaf = '' where index = 7",
    "set securewave.erasing = 'on'; delete from audit_entries where index = 7",
    "delete from audit_entries where index = 7",
    "truncate audit_entries",
  ])("does not just %s", async (statement) => {
    const client = await database.pool.connect();
    await expect(client.query(statement)).rejects.toThrow("appended to");
    client.release(true);
    expect(await verify()).toMatchObject({ isWhole: true, entries: 24 });
  });

  test.each([
    [
      "changes an entry",
      "update audit_entries set body = jsonb_set(body, '{actor}', '\"acc_x\"') where index = 7",
      "entry_changed",
      7,
    ],
    ["removes one", "delete from audit_entries where index = 7", "entry_missing", 7],
    [
      "removes one and moves the rest up",
      "delete from audit_entries where index = 7; update audit_entries set index = index - 1 where index = 8",
      "order_changed",
      7,
    ],
    [
      "exchanges two",
      "update audit_entries set index = -index where index in (7, 9); update audit_entries set index = 16 + index where index < 0",
      "order_changed",
      7,
    ],
    [
      "changes a hash",
      "update audit_entries set leaf = decode(repeat('00', 32), 'hex') where index = 7",
      "entry_changed",
      7,
    ],
    [
      "erases one unseen",
      "update audit_entries set salt = null, body = null where index = 7",
      "erasure_unrecorded",
      7,
    ],
    [
      "erases one and changes its hash",
      "update audit_entries set salt = null, body = null, leaf = decode(repeat('00', 32), 'hex') where index = 7",
      "root_differs",
      12,
    ],
    [
      "changes a checkpoint",
      "update audit_checkpoints set note = replace(note, E'\\n12\\n', E'\\n13\\n') where size = 12",
      "signature_wrong",
      12,
    ],
    ["cuts the end off", "delete from audit_entries where index >= 20", "cut_off", 20],
  ])("and %s behind the guard's back is found out", async (_, statement, kind, at) => {
    await trail.audit.sign();
    await unguarded(statement);
    expect((await verify()).broken).toMatchObject({ kind, at });
  });

  test("and cuts the end off with all that tells of it is found out by a checkpoint that was kept", async () => {
    const { note } = await trail.audit.sign();
    // As a store of before looks: the state at the first checkpoint, put back whole.
    await unguarded(
      "delete from audit_entries where index >= 12; delete from audit_checkpoints where size > 12",
    );
    const leaves = await db.selectFrom("audit_entries").select("leaf").orderBy("index").execute();
    const frontier = leaves.reduce((tree, { leaf }) => append(tree, leaf), EMPTY_FRONTIER);
    await sql`update audit_tree set size = 12, frontier = ${Buffer.concat([...frontier.hashes])}`.execute(db);
    trail.audit = open();
    expect(await verify()).toMatchObject({ isWhole: true, entries: 12 });
    expect((await verify(note)).broken).toMatchObject({ kind: "cut_off" });
  });

  test("gets no signature for a trail that he has written anew, and the service says so", async () => {
    const { size } = await trail.audit.sign();
    const atWork = trail.audit;
    await rewrite(7);
    for (const signer of [trail.audit, open()]) {
      trail.audit = signer;
      trail.errors = [];
      await trail.audit.record(db, logIn());
      expect((await trail.audit.sign()).size).toBe(size);
      expect(String(trail.errors[0])).toContain("the audit trail was changed");
      expect((await verify()).broken).toMatchObject({ kind: "root_differs", at: 12 });
    }
    await unguarded("delete from audit_checkpoints");
    await expect(atWork.sign()).rejects.toThrow("the audit trail was changed");
  });

  test("and puts an act of his own into the queue is not believed: it gets no place, and the service says so", async () => {
    const forged = {
      kind: "audit_archived",
      actor: "system",
      subject: "service",
      details: { from: 0, to: 9 },
    };
    const body = JSON.stringify({ ...forged, time: "2026-11-20T12:00:00Z" });
    await trail.audit.record(db, logIn());
    await sql`insert into audit_queue (salt, body) select decode(repeat('07', length), 'hex'), ${body}::jsonb
      from unnest(array[0, 16, 48]) as length`.execute(db);
    await sql`insert into audit_queue (salt, body) select salt, '{"kind": 1}' from audit_queue limit 1`.execute(
      db,
    );
    await trail.audit.record(db, logIn());
    await trail.audit.sign();
    expect(String(trail.errors[0])).toContain("did not write 4 acts");
    expect(await verify()).toMatchObject({ isWhole: true, entries: 26 });
    expect((await bodies()).every((body) => body?.kind !== "audit_archived")).toBe(true);
  });

  test("and rewrites what no checkpoint covers yet gets no signature from the process that wrote it", async () => {
    await rewrite(15);
    expect((await trail.audit.sign()).size).toBe(12);
    expect(String(trail.errors[0])).toContain("changed behind entry 12");
    expect((await verify()).broken).toMatchObject({ kind: "cut_off", at: 12 });
  });

  test("and the key too is found out by a checkpoint that an auditor kept: something before it was rewritten", async () => {
    const kept = await trail.audit.sign();
    await rewrite(15);
    await unguarded("delete from audit_checkpoints");
    trail.audit = open();
    expect(await verify()).toMatchObject({ isWhole: true }); // whoever has all keys can write another trail
    expect((await verify(kept.note)).broken).toMatchObject({ kind: "not_continued", at: kept.size });
  });

  /** Writes another actor into one entry, and everything else so that it fits: hashes and the state of the tree. */
  async function rewrite(at: number): Promise<void> {
    const rows = await db.selectFrom("audit_entries").selectAll().orderBy("index").execute();
    let frontier = EMPTY_FRONTIER;
    let statements = "";
    for (const { index, salt, body } of rows) {
      const forged = index === at ? { ...(body as object), actor: "acc_nobody" } : body;
      const leaf = leafOf(index, salt ?? Buffer.alloc(0), forged as Parameters<typeof leafOf>[2]);
      frontier = append(frontier, leaf);
      statements += `update audit_entries set leaf = '\\x${leaf.toString("hex")}', body = '${JSON.stringify(forged)}' where index = ${index};`;
    }
    const hex = Buffer.concat([...frontier.hashes]).toString("hex");
    await unguarded(`${statements} update audit_tree set frontier = '\\x${hex}'`);
  }
});
