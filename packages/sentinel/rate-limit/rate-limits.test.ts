import { createManualClock } from "@securewave/foundation";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createExpiringMap, createRateLimits, type Policy, type Verdict } from "./index.ts";

const perMinute = (limit: number, name = "origin"): Policy => ({ name, limit, windowSeconds: 60 });

describe("limits in memory", () => {
  test("in no stretch of a window is more let through than the limit, whatever comes when and costs what", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 8000 }), fc.integer({ min: 1, max: 3 })), {
          maxLength: 200,
        }),
        (limit, windowSeconds, requests) => {
          const clock = createManualClock(Date.parse("2026-11-20T10:00:00Z"));
          const limits = createRateLimits({ clock });
          const admitted: { atMs: number; cost: number }[] = [];
          for (const [waitMs, cost] of requests) {
            clock.advanceSeconds(waitMs / 1000);
            const verdict = here(limits.take({ name: "p", limit, windowSeconds }, "key", cost));
            if (verdict.isAllowed) admitted.push({ atMs: clock.now(), cost });
            const since = clock.now() - windowSeconds * 1000;
            const used = admitted
              .filter(({ atMs }) => atMs > since)
              .reduce((sum, each) => sum + each.cost, 0);
            expect(used).toBeLessThanOrEqual(limit);
            expect(verdict.remaining).toBeLessThanOrEqual(limit - used);
          }
          limits.close();
        },
      ),
    );
  });

  test("who waits as long as told is let through, and not a second earlier", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 60 }),
        (limit, waits) => {
          const clock = createManualClock(Date.parse("2026-11-20T10:00:00Z"));
          const limits = createRateLimits({ clock });
          const policy = perMinute(limit);
          for (const waitMs of waits) {
            clock.advanceSeconds(waitMs / 1000);
            const verdict = here(limits.take(policy, "key"));
            if (verdict.isAllowed) continue;
            expect(verdict.resetSeconds).toBeGreaterThan(0);
            expect(verdict.resetSeconds).toBeLessThanOrEqual(66);
            clock.advanceSeconds(verdict.resetSeconds - 1);
            if (verdict.resetSeconds > 1) expect(limits.look(policy, "key").isAllowed).toBe(false);
            clock.advanceSeconds(1);
            expect(here(limits.take(policy, "key")).isAllowed).toBe(true);
          }
          limits.close();
        },
      ),
    );
  });

  test("who asks steadily at the limit gets at least ten elevenths of it", () => {
    const clock = createManualClock(Date.parse("2026-11-20T10:00:00Z"));
    const limits = createRateLimits({ clock });
    let admitted = 0;
    for (let second = 0; second < 600; second++) {
      if (here(limits.take(perMinute(60), "key")).isAllowed) admitted++;
      clock.advanceSeconds(1);
    }
    expect(admitted).toBeGreaterThanOrEqual(Math.floor((600 * 10) / 11));
    limits.close();
  });

  test("keys and policies count apart, and a refused request counts nowhere", () => {
    const clock = createManualClock(0);
    const limits = createRateLimits({ clock });
    const all = perMinute(3, "global");
    const each = perMinute(1, "origin");
    const ask = (key: string) =>
      limits.takeAll([
        [all, "all"],
        [each, key],
      ]) as readonly Verdict[];
    expect(ask("a").map(({ isAllowed }) => isAllowed)).toEqual([true, true]);
    for (let at = 0; at < 10; at++) {
      const [global, origin] = ask("a");
      expect(global).toMatchObject({ isAllowed: true, remaining: 2 });
      expect(origin).toMatchObject({ isAllowed: false, remaining: 0 });
    }
    ask("b");
    ask("c");
    expect(ask("d").map(({ isAllowed }) => isAllowed)).toEqual([false, true]);
    expect(limits.look(each, "d").remaining).toBe(1);
    limits.close();
  });

  test("a clock set back lets nothing more through", () => {
    const clock = createManualClock(Date.parse("2026-11-20T10:00:00Z"));
    const limits = createRateLimits({ clock });
    expect(here(limits.take(perMinute(1), "key")).isAllowed).toBe(true);
    clock.advanceSeconds(-40);
    expect(here(limits.take(perMinute(1), "key")).isAllowed).toBe(false);
    clock.advanceSeconds(40);
    expect(here(limits.take(perMinute(1), "key")).isAllowed).toBe(false);
    limits.close();
  });

  test("what a policy's name cannot be is a bug, and so are two windows of one name", () => {
    const limits = createRateLimits({ clock: createManualClock(0) });
    expect(() => limits.take({ name: 'a"b', limit: 1, windowSeconds: 1 }, "key")).toThrow("word");
    limits.take({ name: "a", limit: 1, windowSeconds: 1 }, "key");
    expect(() => limits.take({ name: "a", limit: 1, windowSeconds: 2 }, "key")).toThrow("one window");
    limits.close();
  });
});

describe("a map whose entries end", () => {
  test("holds what was used within its life, drops what was not within twice that, and never holds more than its bound", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 40 })), {
          maxLength: 300,
        }),
        (uses) => {
          const map = createExpiringMap<number>({ lifeMs: 100, entriesMax: 1000 });
          const usedAt = new Map<string, number>();
          let nowMs = 0;
          for (const [number, waitMs] of uses) {
            nowMs += waitMs;
            const key = String(number);
            const idleMs = nowMs - (usedAt.get(key) ?? Number.NEGATIVE_INFINITY);
            const found = map.get(key, nowMs);
            if (idleMs < 100) expect(found).toBe(number);
            if (idleMs >= 200) expect(found).toBeUndefined();
            map.set(key, number, nowMs);
            usedAt.set(key, nowMs);
          }
        },
      ),
    );
    const small = createExpiringMap<number>({ lifeMs: 100, entriesMax: 10 });
    for (let at = 0; at < 1000; at++) {
      small.set(String(at), at, 0);
      expect(small.size()).toBeLessThanOrEqual(10);
    }
    expect(small.get("999", 0)).toBe(999);
    small.sweep(100);
    small.sweep(200);
    expect(small.size()).toBe(0);
  });
});

function here(verdict: Verdict | Promise<Verdict>): Verdict {
  if (verdict instanceof Promise) throw new Error("nothing has to be asked");
  return verdict;
}
