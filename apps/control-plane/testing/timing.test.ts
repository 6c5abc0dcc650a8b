import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { compareTimes, isTold } from "./timing.ts";

/** Takes between one time and its double. */
const work = (ms: number) => () => sleep(ms * (1 + Math.random()));

test("what takes the same time is not told apart, what takes half as long again is", async () => {
  const same = await compareTimes(work(4), work(4));
  expect(isTold(same), JSON.stringify(same)).toBe(false);
  const slower = await compareTimes(work(4), work(8));
  expect(isTold(slower), JSON.stringify(slower)).toBe(true);
  expect(isTold(await compareTimes(work(8), work(4)))).toBe(true);
});
