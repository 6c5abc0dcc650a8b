import fc from "fast-check";
import { expect, test } from "vitest";
import { judgeRows } from "./next-rows.ts";
import { createTotals } from "./totals.ts";

const id = fc.stringMatching(/^[a-z_0-9]{1,32}$/);

test("totals are those of a map, whatever ids there are and in whatever order they come", () => {
  const step = fc.record({ id, usedMiB: fc.nat({ max: 0xffff_ffff }), told: fc.constantFrom(0, 80, 100) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.array(id, { maxLength: 5 }), (steps, others) => {
      const [totals, map] = [createTotals(), new Map<string, { usedMiB: number; told: number }>()];
      for (const { id: accountId, usedMiB, told } of steps) {
        totals.set(totals.add(accountId), usedMiB, told);
        map.set(accountId, { usedMiB, told });
      }
      expect(totals.count()).toBe(map.size);
      for (const [accountId, { usedMiB, told }] of map) {
        const slot = totals.find(accountId) ?? -1;
        expect([totals.idOf(slot), totals.usedMiBOf(slot), totals.toldOf(slot)]).toEqual([
          accountId,
          usedMiB,
          told,
        ]);
      }
      for (const other of others) if (!map.has(other)) expect(totals.find(other)).toBeUndefined();
    }),
  );
});

test("totals grow beyond what they began with, and nobody is mixed up with another", () => {
  const totals = createTotals();
  for (let each = 0; each < 5000; each++) totals.set(totals.add(`acc_${each}`), each, 0);
  for (let each = 0; each < 5000; each++)
    expect(totals.usedMiBOf(totals.find(`acc_${each}`) ?? -1)).toBe(each);
  totals.clear();
  expect(totals.usedMiBOf(totals.find("acc_4999") ?? -1)).toBe(0);
});

test("an account that is no more gets no row, and the others keep theirs", () => {
  const totals = createTotals();
  for (const id of ["acc_1", "acc_2", "acc_3"]) totals.set(totals.add(id), 5, 80);
  totals.forget("acc_2");
  totals.forget("acc_9");
  const rows = judgeRows(totals, new Map([["acc_3", 2]]), 1, undefined);
  const written = Array.from({ length: rows.count }, (_, at) => [rows.idOf(at), rows.rowOf(at)]);
  expect(written).toEqual([
    ["acc_1", { month: 1, usedMiB: 5, told: 80 }],
    ["acc_3", { month: 1, usedMiB: 7, told: 80 }],
  ]);
  rows.apply();
  expect(totals.usedMiBOf(totals.find("acc_3") ?? -1)).toBe(7);
});

test("an id that does not fit is a bug", () => {
  const totals = createTotals();
  for (const wrong of ["", "a".repeat(33), "acc_ä", "a b"])
    expect(() => totals.add(wrong)).toThrow(/32 printable/);
});
