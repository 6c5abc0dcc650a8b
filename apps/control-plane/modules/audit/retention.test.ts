import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { append, EMPTY_FRONTIER, isIncluded, openCheckpoint, verifyTrail } from "@securewave/audit-trail";
import { describe, expect, test } from "vitest";
import { useTrail } from "./testing.ts";

const trail = await useTrail();
const { database, run, unguarded, open, fill, linesOf, verify, bodies } = trail;

describe("retention", () => {
  const archives = () => readdirSync(trail.archiveDir).sort();
  const nameOf = (from: number, to: number) =>
    `${[from, to].map((at) => String(at).padStart(12, "0")).join("-")}.jsonl`;
  const [FIRST, SECOND] = [nameOf(0, 5), nameOf(6, 10)];
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
    expect(archives()).toEqual([FIRST]);
    const verifier = await trail.verifier();
    const first = await verifyTrail(archiveLines(FIRST), { verifier, known: note });
    expect(first).toMatchObject({ isWhole: true, entries: 6, erased: 0, unrecorded: 0 });
    expect(await verify(note)).toMatchObject({ isWhole: true, erased: 6, unrecorded: 0 });

    trail.clock.advanceSeconds(20 * 86_400);
    await trail.audit.archiveOld();
    expect(archives()).toEqual([FIRST, SECOND]);
    const second = await verifyTrail(archiveLines(SECOND), { verifier });
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
    expect(archives()).toEqual([nameOf(0, 2), nameOf(3, 6), nameOf(7, 10)]);
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
    expect(archives()).toEqual([]);
  });

  test("is done once when two processes do it at the same time", async () => {
    await fill(5);
    await trail.audit.sign();
    trail.clock.advanceSeconds(40 * 86_400);
    await Promise.all([trail.audit.archiveOld(), open().archiveOld()]);
    await trail.audit.sequence();
    expect((await trail.audit.list({ kind: "audit_archived" }, {})).items.length).toBe(1);
  });

  test("leaves a trail that all its archives and the rest show as one, with contents, and proofs of either", async () => {
    const notes: string[] = [];
    for (const count of [6, 5, 4]) {
      await fill(count);
      notes.push((await trail.audit.sign()).note);
      trail.clock.advanceSeconds(20 * 86_400);
      await trail.audit.archiveOld();
    }
    const verifier = await trail.verifier();
    const [first = "", second = ""] = archives();
    const archived = [...archiveLines(first), ...archiveLines(second)];
    const { index: last } = JSON.parse(archived.at(-2) ?? "").entry;
    const lines = [...archived, ...(await linesOf({ from: last + 1 }))];
    for (const known of notes)
      expect(await verifyTrail(lines, { verifier, known })).toMatchObject({
        isWhole: true,
        from: 0,
        erased: 0,
      });
    for (const index of [0, last, last + 1]) {
      const { leaf, size, proof, note } = await trail.audit.prove(index);
      const root = openCheckpoint(note, verifier)?.root ?? Buffer.alloc(0);
      const hashes = proof.map((hash) => Buffer.from(hash, "base64"));
      expect(isIncluded(Buffer.from(leaf, "base64"), { index, size, root }, hashes)).toBe(true);
      expect(lines.some((line) => line.includes(`{"index":${index},`) && line.includes(leaf))).toBe(true);
    }
  });

  test.each([
    [6, 0], // what said that the entries before it are archived
    [8, 8],
  ])("does not account for entry %i, which somebody has erased unseen before", async (at, first) => {
    await fill(6);
    await trail.audit.sign();
    trail.clock.advanceSeconds(40 * 86_400);
    await trail.audit.archiveOld();
    await fill(4);
    await trail.audit.sign();
    await unguarded(`update audit_entries set salt = null, body = null where index = ${at}`);
    trail.clock.advanceSeconds(40 * 86_400);
    await expect(trail.audit.archiveOld()).rejects.toThrow("the audit trail was changed");
    expect(archives()).toEqual([FIRST]);
    expect((await verify()).broken).toMatchObject({ kind: "erasure_unrecorded", at: first });
  });

  test("removes what an attempt has left that was ended before it was done", async () => {
    await fill(4);
    await trail.audit.sign();
    trail.clock.advanceSeconds(40 * 86_400);
    await run(`create function fail() returns trigger language plpgsql as $$ begin raise exception 'away'; end $$;
      create trigger fail before insert on audit_queue for each statement execute function fail()`);
    await expect(trail.audit.archiveOld()).rejects.toThrow();
    await run("drop function fail cascade");
    expect(archives()).toEqual([nameOf(0, 3)]); // whose entries are still in the table
    expect(await verify()).toMatchObject({ isWhole: true, erased: 0 });
    await fill(2);
    trail.clock.advanceSeconds(40 * 86_400);
    await trail.audit.archiveOld();
    const [only = "", ...others] = archives();
    expect(others).toEqual([]);
    const { verifier, known } = { verifier: await trail.verifier(), known: (await trail.audit.sign()).note };
    expect(await verify(known)).toMatchObject({ isWhole: true, unrecorded: 0 });
    expect(await verifyTrail(archiveLines(only), { verifier })).toMatchObject({ isWhole: true, from: 0 });
  });

  test("of 100,000 entries takes a heap that would not hold them, and leaves them provable", {
    timeout: 300_000,
  }, async () => {
    trail.clock.advanceSeconds(Math.round((Date.now() - trail.clock.now()) / 1000));
    let frontier = EMPTY_FRONTIER;
    for (let from = 0; from < 100_000; from += 10_000) {
      const { rows } = await database.pool.query<{ leaf: Buffer }>(MANY, [from, from + 9_999]);
      frontier = rows.reduce((tree, { leaf }) => append(tree, leaf), frontier);
      const bytes = Buffer.concat([...frontier.hashes]);
      await database.pool.query("update audit_tree set size = $1, frontier = $2", [frontier.size, bytes]);
      await trail.audit.sign();
    }
    const child = trail.spawn("archive", ["--max-old-space-size=40"]);
    expect((await once(child, "exit"))[0]).toBe(0);
    expect(archives()).toEqual([nameOf(0, 49_999), nameOf(50_000, 99_999)]);
    const lines = [...archives().flatMap(archiveLines), ...(await linesOf({ from: 100_000 }))];
    const report = await verifyTrail(lines, { verifier: await trail.verifier() });
    expect(report).toMatchObject({ isWhole: true, from: 0, entries: 100_002, erased: 0 });
    const { leaf, proof, size, note } = await trail.audit.prove(77_777);
    const root = openCheckpoint(note, await trail.verifier())?.root ?? Buffer.alloc(0);
    const state = { index: 77_777, size, root };
    expect(
      isIncluded(
        Buffer.from(leaf, "base64"),
        state,
        proof.map((hash) => Buffer.from(hash, "base64")),
      ),
    ).toBe(true);
  });
});

/** Entries from one index to another, with the hashes that `leafOf` makes, as PostgreSQL makes them. */
const MANY = `
  with acts as (
    select index, decode(lpad(to_hex(index), 32, '0'), 'hex') as salt,
      format('{"actor":"acc_%1$s","details":{"method":"password"},"kind":"login_succeeded","subject":"acc_%1$s","time":"2026-01-20"}',
        index) as body
    from generate_series($1::bigint, $2::bigint) as index
  )
  insert into audit_entries (index, leaf, salt, body)
  select index, sha256(decode('00', 'hex') || int8send(index) || sha256(salt || convert_to(body, 'utf8'))), salt, body::jsonb
  from acts order by index
  returning leaf`;
