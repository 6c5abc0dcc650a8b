import { MINUTE_MS } from "@securewave/foundation";
import { expect, test } from "vitest";
import { createClockWatch, createCpuShare, diskShare, memoryShare } from "./machine.ts";

test("the processors' share is of the last minute or two, however often it is asked for", () => {
  let atMs = 0;
  let all = 0;
  let idle = 0;
  const share = createCpuShare(() => ({ atMs, all, idle }));
  const pass = (seconds: number, busy: number) => {
    atMs += seconds * 1000;
    all += seconds;
    idle += seconds * (1 - busy);
    return share();
  };
  for (let second = 0; second < 600; second += 5) pass(5, 0);
  for (let second = 0; second < 180; second += 5) pass(5, 1);
  expect(pass(5, 1)).toBeGreaterThan(0.9);
  for (let second = 0; second < 180; second += 5) pass(5, 0);
  expect(pass(5, 0)).toBeLessThan(0.1);
});

test("a clock that is moved is noticed for an hour, whichever way it was moved", () => {
  let steadyMs = 0;
  let wallMs = 1_000_000;
  const watch = createClockWatch(
    () => wallMs,
    () => steadyMs,
  );
  const pass = (ms: number) => {
    steadyMs += ms;
    wallMs += ms;
  };
  pass(MINUTE_MS);
  expect(watch.largestStepMs()).toBe(0);
  wallMs -= 30_000;
  expect(watch.largestStepMs()).toBe(30_000);
  pass(59 * MINUTE_MS);
  expect(watch.largestStepMs()).toBe(30_000);
  pass(2 * MINUTE_MS);
  expect(watch.largestStepMs()).toBe(0);
});

test("memory and disk are shares of what there is", async () => {
  for (const share of [memoryShare(), await diskShare(process.cwd())]) {
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(1);
  }
});
