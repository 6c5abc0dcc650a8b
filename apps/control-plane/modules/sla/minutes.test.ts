import fc from "fast-check";
import { expect, test } from "vitest";
import {
  availabilityAtLeast,
  availabilityOf,
  countMinutes,
  lastFound,
  type MinuteSets,
  withUnknown,
} from "./minutes.ts";

const set = fc.nat(2 ** 15 - 1);
const sets = fc.record<MinuteSets>({ up: set, degraded: set, down: set, maintenance: set });
const merge = (a: MinuteSets, b: MinuteSets): MinuteSets => ({
  up: a.up | b.up,
  degraded: a.degraded | b.degraded,
  down: a.down | b.down,
  maintenance: a.maintenance | b.maintenance,
});

test("each minute counts once, whatever replicas found in it, and one that nobody measured is unknown", () => {
  fc.assert(
    fc.property(sets, (one) => {
      const { up, degraded, down, maintenance, unknown } = withUnknown(countMinutes(one), 15);
      expect(up + degraded + down + maintenance + unknown).toBe(15);
      let unmeasured = 0;
      for (let minute = 0; minute < 15; minute++)
        if (((one.up | one.degraded | one.down | one.maintenance) & (1 << minute)) === 0) unmeasured++;
      expect(unknown).toBe(unmeasured);
    }),
  );
});

test("writing the same minutes again, or by another replica that found the same, changes nothing", () => {
  fc.assert(
    fc.property(sets, (one) => {
      expect(countMinutes(merge(one, one))).toEqual(countMinutes(one));
    }),
  );
});

test("a minute that one replica found down and another up is degraded, not lost and not well", () => {
  const counted = countMinutes(
    merge({ up: 1, degraded: 0, down: 0, maintenance: 0 }, { up: 0, degraded: 0, down: 1, maintenance: 0 }),
  );
  expect(counted).toMatchObject({ up: 0, degraded: 1, down: 0 });
});

test("announced maintenance counts neither way, and unknown minutes never raise what is promised at least", () => {
  fc.assert(
    fc.property(sets, (one) => {
      const minutes = withUnknown(countMinutes(one), 15);
      const share = availabilityOf(minutes);
      const without = availabilityOf({ ...minutes, maintenance: 0, unknown: 0 });
      expect(share).toBe(without);
      const least = availabilityAtLeast(minutes);
      if (share !== null && least !== null) expect(least).toBeLessThanOrEqual(share);
      if (minutes.unknown === 15) expect([share, least]).toEqual([null, 0]);
    }),
  );
});

test("the last minute that was measured is the one that is told", () => {
  expect(lastFound({ up: 0b011, degraded: 0, down: 0b100, maintenance: 0 })).toEqual({
    minute: 2,
    found: "down",
  });
  expect(lastFound({ up: 0b110, degraded: 0, down: 0b100, maintenance: 0 })).toEqual({
    minute: 2,
    found: "degraded",
  });
  expect(lastFound({ up: 0, degraded: 0, down: 0, maintenance: 7 })).toBeUndefined();
});
