import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Act } from "./act.ts";
import { type CountedAct, createRefusals } from "./refusals.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const unexpected = (error: unknown) => expect.unreachable(String(error));

const refused = (origin: string): CountedAct => ({
  kind: "login_refused",
  actor: "unknown",
  subject: "unknown",
  details: { method: "password" },
  origin,
});

test("a long attack over many origins writes ever more seldom, and a quiet time ends that", async () => {
  const writes: (readonly Act[])[] = [];
  const refusals = createRefusals(async (acts) => void writes.push(acts), unexpected);
  const seconds = 3 * 60 * 60;
  for (let second = 0; second < seconds; second++) {
    for (let at = 0; at < 60; at++) refusals.add(refused(`tag_${at}`));
    await vi.advanceTimersByTimeAsync(1000);
  }
  const lines = writes.flat();
  expect(lines.length).toBeLessThan(1_500);
  const written = lines.reduce((sum, act) => sum + Number(Object(act.details).count), 0);
  expect(written).toBeGreaterThan(seconds * 60 - 60 * 660);

  await vi.advanceTimersByTimeAsync(3_600_000);
  for (const expected of [1, 2]) {
    writes.length = 0;
    refusals.add(refused("tag_1"));
    refusals.add(refused("tag_1"));
    await vi.advanceTimersByTimeAsync(expected === 1 ? 600_000 : 5_000);
    expect(writes.flat()).toMatchObject([{ details: { method: "password", count: 2 }, origin: "tag_1" }]);
  }
});

test("different kinds beyond the number are counted apart", async () => {
  const writes: (readonly Act[])[] = [];
  const refusals = createRefusals(async (acts) => void writes.push(acts), unexpected);
  for (let at = 0; at < 50; at++) refusals.add(refused(`tag_${at}`));
  const details = { reason: "violations", minutes: 10 };
  for (const id of ["blk_a", "blk_b"])
    refusals.add({ kind: "block_added", actor: "system", subject: id, details, origin: "tag" });
  refusals.add(refused("tag_50"));
  await refusals.flush();
  expect(writes.flat().slice(50)).toEqual([
    { kind: "block_added", actor: "system", subject: "unknown", details: { ...details, count: 2 } },
    {
      kind: "login_refused",
      actor: "unknown",
      subject: "unknown",
      details: { method: "password", count: 1 },
    },
  ]);
});
