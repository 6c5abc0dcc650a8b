import { isConsistent, openCheckpoint, verifyTrail } from "@securewave/audit-trail";
import { describe, expect, test } from "vitest";
import { staff, useTrail } from "./testing.ts";

const trail = await useTrail();
const { open, fill, linesOf, verify, bodies } = trail;

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

  test("is proved to continue each earlier one, without the entries between them", async () => {
    const verifier = await trail.verifier();
    const kept: string[] = [];
    for (const count of [1, 4, 3, 6]) {
      await fill(count);
      kept.push((await trail.audit.sign()).note);
    }
    for (const note of kept) {
      const before = openCheckpoint(note, verifier);
      const { note: newest, consistency } = await trail.audit.checkpoint(before?.size);
      const after = openCheckpoint(newest, verifier);
      if (!before || !after) throw new Error("both are signed");
      const proof = (consistency ?? []).map((hash) => Buffer.from(hash, "base64"));
      expect(isConsistent(before, after, proof)).toBe(true);
      expect(isConsistent({ ...before, root: Buffer.alloc(32) }, after, proof)).toBe(false);
    }
    expect(await trail.audit.checkpoint(15)).not.toHaveProperty("consistency");
    expect(await trail.audit.checkpoint()).not.toHaveProperty("consistency");
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

  test("that is archived while it is sent is broken off: nobody takes what is missing for an erasure", async () => {
    await fill(6);
    await trail.audit.sign();
    trail.clock.advanceSeconds(40 * 86_400);
    const pieces = (await trail.audit.export(staff))[Symbol.asyncIterator]();
    await pieces.next();
    await trail.audit.archiveOld();
    await expect(pieces.next()).rejects.toThrow("archived while it was exported");
  });
});
