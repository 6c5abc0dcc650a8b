import fc from "fast-check";
import { expect, test } from "vitest";
import { applyInBatches } from "./batch.ts";

test("every good entry goes through and every bad one is named, whatever the batches", async () => {
  const property = fc.asyncProperty(
    fc.array(fc.boolean(), { maxLength: 60 }),
    fc.integer({ min: 1, max: 20 }),
    async (areGood, batchMax) => {
      const applied: number[] = [];
      const entries = areGood.map((isGood, index) => ({ isGood, index }));
      const refused = await applyInBatches(entries, batchMax, async (batch) => {
        const isAccepted = batch.every(({ isGood }) => isGood);
        if (isAccepted) applied.push(...batch.map(({ index }) => index));
        return isAccepted;
      });
      expect(applied).toEqual(entries.filter(({ isGood }) => isGood).map(({ index }) => index));
      expect(refused).toEqual(entries.filter(({ isGood }) => !isGood));
    },
  );
  await fc.assert(property);
});

test("one bad entry among a thousand costs some twenty attempts", async () => {
  let attempts = 0;
  const entries = Array.from({ length: 1000 }, (_, index) => index);
  const refused = await applyInBatches(entries, 1000, async (batch) => {
    attempts++;
    return !batch.includes(777);
  });
  expect(refused).toEqual([777]);
  expect(attempts).toBeLessThan(25);
});
