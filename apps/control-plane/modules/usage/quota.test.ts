import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  inMonth,
  judge,
  levelOf,
  monthOf,
  monthText,
  percentOf,
  type QuotaRule,
  resetDayOf,
} from "./quota.ts";

const QUOTA = 1000;
const rule = (quota: number | null = QUOTA, on_quota: QuotaRule["on_quota"] = "throttle"): QuotaRule => ({
  quota_bytes: quota,
  on_quota,
});
const MONTH = monthOf(Date.UTC(2026, 10, 20));

describe("the levels", () => {
  test.each([
    [0, "below"],
    [799, "below"],
    [800, "warned"],
    [999, "warned"],
    [1000, "reached"],
    [5000, "reached"],
  ])("%i of 1000 bytes is %s", (used, level) => {
    expect(levelOf(used, QUOTA)).toBe(level);
  });

  test("without a quota nothing is ever reached", () => {
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (usedBytes) => {
        const verdict = judge({ month: MONTH, usedBytes, told: 0 }, rule(null), MONTH);
        expect(verdict).toEqual({ level: "below", restriction: "none", tell: undefined, told: 0 });
        expect(percentOf(usedBytes, null)).toBeNull();
      }),
    );
  });

  test("the percentage shown and the level never contradict each other, up to the largest quota", () => {
    const sizes = fc.integer({ min: 2 ** 20, max: 2 ** 50 });
    fc.assert(
      fc.property(sizes, fc.double({ min: 0, max: 2, noNaN: true }), (quota, share) => {
        const used = Math.floor(quota * share);
        const percent = percentOf(used, quota) ?? 0;
        const level = levelOf(used, quota);
        expect(level === "reached").toBe(percent >= 100);
        if (percent > 80) expect(level).not.toBe("below");
        if (percent < 80) expect(level).toBe("below");
      }),
    );
  });
});

describe("telling", () => {
  /** Runs a history and gives back what was told, in order. */
  function tellings(steps: readonly { usedBytes: number; month: number; quota: number | null }[]) {
    const told: { month: number; percent: number }[] = [];
    let use = { month: MONTH, usedBytes: 0, told: 0 as 0 | 80 | 100 };
    for (const { usedBytes, month, quota } of steps) {
      use = { ...inMonth(use, month), usedBytes };
      const verdict = judge(use, rule(quota), month);
      if (verdict.tell) told.push({ month, percent: verdict.tell });
      use = { ...use, told: verdict.told };
    }
    return told;
  }

  const growing = fc.array(fc.nat({ max: 300 }), { maxLength: 40 }).map((parts) => {
    let usedBytes = 0;
    return parts.map((part) => {
      usedBytes += part;
      return usedBytes;
    });
  });

  test("within a month each mark is told at most once, in order, and whoever passed it was told", () => {
    fc.assert(
      fc.property(growing, (uses) => {
        const told = tellings(uses.map((usedBytes) => ({ usedBytes, month: MONTH, quota: QUOTA })));
        const percents = told.map(({ percent }) => percent);
        expect(percents).toEqual([...new Set(percents)].sort((a, b) => a - b));
        const last = uses.at(-1) ?? 0;
        expect(percents.includes(100)).toBe(last >= QUOTA);
        if (last >= QUOTA * 0.8) expect(percents.length).toBeGreaterThan(0);
        else expect(percents).toEqual([]);
      }),
    );
  });

  test("who goes past both marks at once is told of the end alone", () => {
    expect(tellings([{ usedBytes: 3000, month: MONTH, quota: QUOTA }])).toEqual([
      { month: MONTH, percent: 100 },
    ]);
  });

  test("each month tells anew, also after months without the service", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 10 }), (gaps) => {
        let month = MONTH;
        const steps = gaps.map((gap) => {
          month += gap;
          return { usedBytes: QUOTA, month, quota: QUOTA };
        });
        expect(tellings(steps)).toEqual(steps.map((step) => ({ month: step.month, percent: 100 })));
      }),
    );
  });

  test("after a bigger plan its marks are told, and a smaller one never tells twice of one mark", () => {
    const use = (usedBytes: number, quota: number | null) => ({ usedBytes, month: MONTH, quota });
    const percents = (steps: ReturnType<typeof use>[]) => tellings(steps).map(({ percent }) => percent);
    expect(percents([use(1000, 1000), use(1000, 10_000), use(8000, 10_000)])).toEqual([100, 80]);
    expect(percents([use(850, 1000), use(900, null), use(900, 1000)])).toEqual([80, 80]);
    expect(percents([use(850, 1000), use(850, 500), use(900, 500)])).toEqual([80, 100]);
  });
});

describe("restrictions", () => {
  test("begin at 100 %, as the plan says, and not a byte before", () => {
    const at = (usedBytes: number, on_quota: QuotaRule["on_quota"]) =>
      judge({ month: MONTH, usedBytes, told: 100 }, rule(QUOTA, on_quota), MONTH).restriction;
    expect(at(999, "block")).toBe("none");
    expect(at(1000, "block")).toBe("blocked");
    expect(at(1000, "throttle")).toBe("throttled");
  });

  test("are over with the month and with a bigger plan", () => {
    const use = { month: MONTH, usedBytes: 5000, told: 100 } as const;
    expect(judge(use, rule(), MONTH + 1)).toMatchObject({ level: "below", restriction: "none", told: 0 });
    expect(judge(use, rule(), MONTH + 14).restriction).toBe("none");
    expect(judge(use, rule(10_000), MONTH).restriction).toBe("none");
  });

  test("a clock that was set back to another month restricts nobody for what they used in this one", () => {
    expect(judge({ month: MONTH, usedBytes: 5000, told: 100 }, rule(), MONTH - 1).restriction).toBe("none");
  });
});

describe("months", () => {
  test("begin and end in UTC", () => {
    expect(monthOf(Date.UTC(2026, 11, 1) - 1)).toBe(MONTH);
    expect(monthOf(Date.UTC(2026, 11, 1))).toBe(MONTH + 1);
  });

  test("are shown with the day on which the next one begins, over the turn of the year too", () => {
    expect(monthText(MONTH)).toBe("2026-11");
    expect(resetDayOf(MONTH)).toBe("2026-12-01");
    expect(monthText(MONTH + 1)).toBe("2026-12");
    expect(resetDayOf(MONTH + 1)).toBe("2027-01-01");
  });
});
