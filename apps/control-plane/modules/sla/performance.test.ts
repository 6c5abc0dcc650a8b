import { floorOf } from "@securewave/live";
import fc from "fast-check";
import { expect, test } from "vitest";
import { combine, createTally, UNMEASURED } from "./performance.ts";

function tallied(
  count: number,
  milliseconds: (n: number) => number,
  isError: (n: number) => boolean = () => false,
) {
  const tally = createTally();
  for (let n = 0; n < count; n++) tally.request(milliseconds(n), isError(n));
  return tally.read();
}

test("of fewer than a thousand requests nothing is told: a row looks as one without any", () => {
  expect(tallied(999, () => 20)).toEqual(createTally().read());
  expect(tallied(1000, () => 20).mean_ms).toBeCloseTo(20);
});

test("how many requests there were is told as the lower end of a range", () => {
  const { requests_floor } = tallied(1437, () => 20);
  expect(requests_floor).toBe(1000);
  expect(floorOf(requests_floor)).toBe(requests_floor);
});

test("the 95th percentile is right to a tenth, and never too low", () => {
  const { p95_ms } = tallied(10_000, (n) => (n + 1) / 10);
  expect(p95_ms).toBeGreaterThanOrEqual(950);
  expect(p95_ms).toBeLessThanOrEqual(950 * 1.1);
});

test("replicas count by how many requests each had, and the worst percentile is kept", () => {
  const few = tallied(1000, () => 100);
  const many = tallied(
    10_000,
    () => 20,
    (n) => n % 100 === 0,
  );
  const { mean_ms, p95_ms, error_share, probe_ms } = combine([few, many]);
  expect(mean_ms).toBeCloseTo((1000 * 100 + 10_000 * 20) / 11_000, 5);
  expect(p95_ms).toBe(few.p95_ms);
  expect(error_share).toBeCloseTo(0.01 * (10 / 11), 5);
  expect(probe_ms).toBe(UNMEASURED);
});

test("what a machine that has little to do is busy with shows in nothing that is kept", () => {
  const read = (processor: number, memory: number, probeMs: number, queryMs: number) => {
    const tally = createTally();
    tally.machine(processor, memory);
    tally.probe(probeMs);
    tally.queries(3, (3 * queryMs) / 1000);
    const { processor: busy, memory: used, probe_ms, query_ms } = tally.read();
    return { busy, used, probe_ms, query_ms };
  };
  const idle = { busy: 0.5, used: 0.5, probe_ms: 50, query_ms: 10 };
  const small = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(small, small, small, small, (processor, memory, probe, query) => {
      expect(read(processor / 2, memory / 2, probe * 50, query * 9.9)).toEqual(idle);
    }),
  );
  expect(read(0.71, 0.86, 201, 51)).toEqual({ busy: 0.75, used: 0.9, probe_ms: 250, query_ms: 60 });
  expect(createTally().read().processor).toBe(UNMEASURED);
});
