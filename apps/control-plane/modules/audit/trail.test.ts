import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { append, EMPTY_FRONTIER, leafOf, verifyTrail } from "@securewave/audit-trail";
import { sql } from "kysely";
import { beforeEach, describe, expect, test } from "vitest";
import { logIn, staff, useTrail } from "./testing.ts";

const trail = await useTrail();
const { database, unguarded, open, fill, linesOf, verify, bodies } = trail;
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
    const rows = await db.selectFrom("audit_entries").selectAll().orderBy("index").execute();
    let frontier = EMPTY_FRONTIER;
    let statements = "";
    for (const { index, salt, body } of rows) {
      const forged = index === 7 ? { ...(body as object), actor: "acc_nobody" } : body;
      const leaf = leafOf(index, salt ?? Buffer.alloc(0), forged as Parameters<typeof leafOf>[2]);
      frontier = append(frontier, leaf);
      statements += `update audit_entries set leaf = '\\x${leaf.toString("hex")}', body = '${JSON.stringify(forged)}' where index = ${index};`;
    }
    await unguarded(
      `${statements} update audit_tree set frontier = '\\x${Buffer.concat([...frontier.hashes]).toString("hex")}'`,
    );
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
});

describe("a checkpoint", () => {
  test("is made once for each state, and the trail keeps its name when the service moves", async () => {
    await fill(3);
    const first = await trail.audit.sign();
    expect(await trail.audit.sign()).toEqual(first);
    trail.audit = open({ origin: "other.example/audit" });
    await fill(1);
    const second = await trail.audit.sign();
    expect(second.note.split("\n").slice(0, 2)).toEqual(["vpn.example.org/audit", "4"]);
    expect(await verify(first.note)).toMatchObject({ isWhole: true, entries: 4 });
  });
});

describe("an export", () => {
  test("of an empty trail is verified, and of a trail is itself an entry", async () => {
    expect(await verify()).toMatchObject({ isWhole: true, entries: 0 });
    await trail.audit.sequence();
    expect((await bodies())[0]).toMatchObject({
      kind: "audit_exported",
      actor: staff,
      details: { from: 0, to: -1 },
    });
    expect(await verify()).toMatchObject({ isWhole: true, entries: 1 });
  });

  test("of a part goes on to the next checkpoint, and is verified by itself", async () => {
    for (let at = 0; at < 4; at++) {
      await fill(5);
      await trail.audit.sign();
    }
    const verifier = await trail.verifier();
    const part = await linesOf({ from: 7, to: 11 });
    expect(await verifyTrail(part, { verifier })).toMatchObject({
      isWhole: true,
      from: 7,
      entries: 8,
    });
    await expect(linesOf({ from: 1000 })).rejects.toThrow("no such entry");
  });

  test("of many entries is whole", async () => {
    await sql`insert into audit_queue (salt, body)
      select decode(lpad(to_hex(n), 32, '0'), 'hex'), jsonb_build_object('kind', 'session_ended', 'actor', 'acc_' || n,
        'subject', 'acc_' || n, 'details', jsonb_build_object(), 'time', '2026-11-20')
      from generate_series(1, 5000) n`.execute(db);
    expect(await verify()).toMatchObject({ isWhole: true, entries: 5000 });
    const { size, note } = await trail.audit.sign();
    expect(note).toContain(`\n${size}\n`);
  });
});

describe("retention", () => {
  const archives = () => readdirSync(trail.archiveDir).sort();
  const archiveLines = (name: string) =>
    readFileSync(join(trail.archiveDir, name), "utf8").trimEnd().split("\n");

  test("moves old entries into files that are verified by themselves, and the trail stays whole", async () => {
    await fill(6);
    const { note } = await trail.audit.sign();
    trail.clock.advanceSeconds(20 * 86_400);
    await fill(5);
    await trail.audit.sign();
    trail.clock.advanceSeconds(15 * 86_400);
    await fill(2);
    await trail.audit.archiveOld();
    expect(archives()).toEqual(["0-5.jsonl"]);
    const verifier = await trail.verifier();
    const first = await verifyTrail(archiveLines("0-5.jsonl"), { verifier, known: note });
    expect(first).toMatchObject({ isWhole: true, entries: 6, erased: 0, unrecorded: 0 });
    expect(await verify(note)).toMatchObject({ isWhole: true, erased: 6, unrecorded: 0 });

    trail.clock.advanceSeconds(20 * 86_400);
    await trail.audit.archiveOld();
    expect(archives()).toEqual(["0-5.jsonl", "6-10.jsonl"]);
    const second = await verifyTrail(archiveLines("6-10.jsonl"), { verifier });
    expect(second).toMatchObject({ isWhole: true, from: 6, entries: 5, erased: 0 });
    expect(await verify(note)).toMatchObject({ isWhole: true, erased: 11 });
    const { items } = await trail.audit.list({ kind: "audit_archived" }, {});
    expect(items.map(({ body }) => body?.details)).toEqual([
      { from: 6, to: 10 },
      { from: 0, to: 5 },
    ]);
    await trail.audit.archiveOld();
    expect(archives().length).toBe(2);
    expect(trail.errors).toEqual([]);
  });

  test("is over also for the entries that told of earlier archives", async () => {
    for (let at = 0; at < 3; at++) {
      await fill(3);
      trail.clock.advanceSeconds(40 * 86_400);
      await trail.audit.archiveOld();
    }
    expect(archives()).toEqual(["0-2.jsonl", "3-6.jsonl", "7-10.jsonl"]);
    expect(await verify()).toMatchObject({ isWhole: true, erased: 11, entries: 12 });
  });

  test("erases nothing that cannot be verified any more", async () => {
    await fill(3);
    await trail.audit.sign();
    await unguarded(
      "update audit_entries set body = jsonb_set(body, '{actor}', '\"acc_nobody\"') where index = 1",
    );
    trail.clock.advanceSeconds(40 * 86_400);
    await expect(trail.audit.archiveOld()).rejects.toThrow("changed between entries 0 and 2");
    expect((await bodies()).every((body) => body !== null)).toBe(true);
    expect(archives().filter((name) => name.endsWith(".jsonl"))).toEqual([]);
  });

  test("is done once when two processes do it at the same time", async () => {
    await fill(5);
    await trail.audit.sign();
    trail.clock.advanceSeconds(40 * 86_400);
    await Promise.all([trail.audit.archiveOld(), open().archiveOld()]);
    await trail.audit.sequence();
    expect((await trail.audit.list({ kind: "audit_archived" }, {})).items.length).toBe(1);
  });
});
