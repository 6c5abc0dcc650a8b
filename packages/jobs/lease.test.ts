import { expect, test } from "vitest";
import { watchHolders } from "./lease.ts";

test("a worker is dead once its number has stood still for the whole lease, and no sooner", () => {
  let nowMs = 0;
  const holders = watchHolders(30_000, () => nowMs);
  const held = { name: "clean-up", holder: "a", beats: 4 };
  expect(holders.isDead(held)).toBe(false);
  nowMs = 29_999;
  expect(holders.isDead(held)).toBe(false);
  expect(holders.isDead({ ...held, beats: 5 })).toBe(false); // it lives
  nowMs += 29_999;
  expect(holders.isDead({ ...held, beats: 5 })).toBe(false);
  nowMs += 1;
  expect(holders.isDead({ ...held, beats: 5 })).toBe(true);
});

test("another worker has a lease of its own", () => {
  let nowMs = 0;
  const holders = watchHolders(30_000, () => nowMs);
  holders.isDead({ name: "clean-up", holder: "a", beats: 4 });
  nowMs = 40_000;
  expect(holders.isDead({ name: "clean-up", holder: "b", beats: 4 })).toBe(false);
});
