import { expect, test } from "vitest";
import { createProofOfWork } from "./proof-of-work.ts";

test("progress is told while there is work, stays between nought and one, and is gone afterwards", async () => {
  const seen: (number | undefined)[] = [];
  const work = createProofOfWork(async (challenge, onProgress) => {
    onProgress(0.5);
    onProgress(7);
    return `solved ${challenge}`;
  });
  work.subscribe(() => seen.push(work.progress()));
  expect(work.progress()).toBeUndefined();
  expect(await work.solve("c")).toBe("solved c");
  expect(seen).toEqual([0, 0.5, 1, undefined]);
});

test("work that fails leaves no bar behind, and the failure is told", async () => {
  const work = createProofOfWork(async () => {
    throw new Error("no worker");
  });
  await expect(work.solve("c")).rejects.toThrow("no worker");
  expect(work.progress()).toBeUndefined();
});

test("of two at a time the bar stays until both are done", async () => {
  const ends = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  let begun = 0;
  const work = createProofOfWork(() => ends[begun++]?.promise ?? Promise.resolve(""));
  const first = work.solve("a");
  const second = work.solve("b");
  ends[0]?.resolve("a");
  await first;
  expect(work.progress()).toBe(0);
  ends[1]?.resolve("b");
  await second;
  expect(work.progress()).toBeUndefined();
});
