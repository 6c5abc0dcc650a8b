import { createManualClock } from "@securewave/foundation";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Origin } from "../origins/index.ts";
import { type Block, type Blocklist, type BlocklistOptions, createBlocklist } from "./index.ts";

const START_MS = Date.parse("2026-11-20T10:00:00Z");
const MINUTE_SECONDS = 60;

describe("a blocklist in memory", () => {
  test("more than 50 violations in five minutes block an origin, 50 do not", () => {
    const { blocklist } = create();
    repeat(50, () => blocklist.violated("tag"));
    expect(blocklist.find(origin("tag"))).toBeUndefined();
    blocklist.violated("tag");
    expect(blocklist.find(origin("tag"))).toMatchObject({
      kind: "tag",
      value: "tag",
      reason: "violations",
      since: START_MS,
      until: START_MS + 15 * MINUTE_SECONDS * 1000,
    });
    expect(blocklist.find(origin("other"))).toBeUndefined();
  });

  test("more than 10 failed log-ins in five minutes block an origin, however they are spread", () => {
    const { blocklist, clock } = create();
    repeat(10, () => {
      clock.advanceSeconds(29);
      blocklist.logInFailed("quick");
    });
    expect(blocklist.find(origin("quick"))).toBeUndefined();
    blocklist.logInFailed("quick");
    expect(blocklist.find(origin("quick"))).toMatchObject({ reason: "failed_log_ins" });
    repeat(100, () => {
      clock.advanceSeconds(34);
      blocklist.logInFailed("slow");
    });
    expect(blocklist.find(origin("slow"))).toBeUndefined();
  });

  test("a block ends, and each further one is twice as long, up to a day", () => {
    const { blocklist, clock } = create();
    const minutes: number[] = [];
    repeat(9, () => {
      repeat(51, () => blocklist.violated("tag"));
      const block = blocklist.find(origin("tag"));
      const lifeMinutes = ((block?.until ?? 0) - (block?.since ?? 0)) / 60_000;
      minutes.push(lifeMinutes);
      clock.advanceSeconds(lifeMinutes * MINUTE_SECONDS - 1);
      expect(blocklist.find(origin("tag"))).toBeDefined();
      clock.advanceSeconds(1);
      expect(blocklist.find(origin("tag"))).toBeUndefined();
      expect(blocklist.count()).toBe(0);
    });
    expect(minutes).toEqual([15, 30, 60, 120, 240, 480, 960, 1440, 1440]);
  });

  test("yesterday's tag holds an origin over midnight", () => {
    const { blocklist } = create();
    repeat(51, () => blocklist.violated("yesterday"));
    expect(blocklist.find({ ...origin("today"), previousTag: "yesterday" })).toBeDefined();
  });

  test("staff block an address or a network, of both families, and lift it", () => {
    const { blocklist } = create();
    const four = blocklist.add({ kind: "network", value: "203.0.113.77/24", seconds: 60, addedBy: "acc_1" });
    const six = blocklist.add({ kind: "network", value: "2001:DB8::/48", seconds: 60 });
    expect(four).toMatchObject({ value: "203.0.113.0/24", reason: "staff", addedBy: "acc_1" });
    expect(six).toMatchObject({ value: "2001:db8::/48" });
    expect(blocklist.find(origin("a", "203.0.113.200"))).toEqual(four);
    expect(blocklist.find(origin("a", "::ffff:203.0.113.200"))).toEqual(four);
    expect(blocklist.find(origin("a", "2001:db8:0:1::1"))).toEqual(six);
    expect(blocklist.find(origin("a", "203.0.114.1"))).toBeUndefined();
    expect(blocklist.find(origin("a", "2001:db8:1::1"))).toBeUndefined();
    expect(
      blocklist
        .list()
        .map(({ id }) => id)
        .sort(),
    ).toEqual([four?.id, six?.id].sort());
    expect(blocklist.lift(four?.id ?? "")).toEqual(four);
    expect(blocklist.lift(four?.id ?? "")).toBeUndefined();
    expect(blocklist.find(origin("a", "203.0.113.200"))).toBeUndefined();
    expect(blocklist.holds("203.0.113.0/24", "203.0.113.9")).toBe(true);
    expect(blocklist.holds("203.0.113.0/24", "203.0.112.9")).toBe(false);
    expect(blocklist.holds("nonsense", "203.0.112.9")).toBe(false);
    for (const value of ["", "nonsense", "203.0.113.0/33", "1.2.3", "::1/129"]) {
      expect(blocklist.add({ kind: "network", value, seconds: 60 })).toBeUndefined();
    }
    expect(blocklist.add({ kind: "tag", value: "203.0.113.7, or so", seconds: 60 })).toBeUndefined();
  });

  test("lifting lets an origin in whatever else blocked it, and begins its delays anew", () => {
    const { blocklist } = create();
    repeat(51, () => blocklist.violated("tag"));
    const added = blocklist.add({ kind: "tag", value: "tag", seconds: 60 });
    expect(blocklist.list()).toHaveLength(2);
    blocklist.lift(added?.id ?? "");
    expect(blocklist.count()).toBe(0);
    expect(blocklist.find(origin("tag"))).toBeUndefined();
    repeat(11, () => blocklist.logInFailed("tag"));
    const block = blocklist.find(origin("tag"));
    expect((block?.until ?? 0) - (block?.since ?? 0)).toBe(15 * 60_000);
  });

  test("holds no more than its bound, and keeps those that end last", () => {
    const { blocklist } = create({ blocksMax: 10 });
    for (let at = 1; at <= 100; at++) blocklist.add({ kind: "tag", value: `tag-${at}`, seconds: at });
    expect(blocklist.count()).toBeLessThanOrEqual(10);
    expect(blocklist.find(origin("tag-100"))).toBeDefined();
    expect(blocklist.find(origin("tag-1"))).toBeUndefined();
  });

  test("what it says is what a plain list of blocks says, whatever is added, lifted and waited for", () => {
    fc.assert(
      fc.property(fc.array(ACT, { maxLength: 60 }), (acts) => {
        const { blocklist, clock } = create();
        const made: Block[] = [];
        let plain: Block[] = [];
        const perform = {
          wait: (_value: string, number: number) => clock.advanceSeconds(number),
          add(value: string, number: number) {
            const block = blocklist.add({ kind: "tag", value, seconds: number + 1 });
            if (block) made.push(block);
            plain = [...plain, ...made.slice(-1)];
          },
          lift(_value: string, number: number) {
            const lifted = blocklist.lift(made[number]?.id ?? "");
            plain = plain.filter((block) => block.value !== lifted?.value);
          },
        };
        for (const { kind, value, number } of acts) {
          perform[kind](value, number);
          plain = plain.filter(({ until }) => until > clock.now());
          expect(blocklist.count()).toBe(plain.length);
          const blocked = VALUES.filter((each) => blocklist.find(origin(each)));
          expect(blocked).toEqual(VALUES.filter((each) => plain.some((block) => block.value === each)));
        }
        blocklist.close();
      }),
    );
  });
});

const VALUES = ["a", "b", "c"];
const ACT = fc.record({
  kind: fc.constantFrom("wait", "add", "add", "lift"),
  value: fc.constantFrom(...VALUES),
  number: fc.nat({ max: 30 }),
});

function create(options: Partial<BlocklistOptions> = {}): {
  blocklist: Blocklist;
  clock: ReturnType<typeof createManualClock>;
} {
  const clock = createManualClock(START_MS);
  return { blocklist: createBlocklist({ clock, ...options }), clock };
}

function origin(tag: string, address = "198.51.100.1"): Origin {
  return { address, tag, previousTag: `before ${tag}` };
}

function repeat(times: number, work: () => void): void {
  for (let at = 0; at < times; at++) work();
}
