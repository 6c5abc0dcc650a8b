import fc from "fast-check";
import { expect, test } from "vitest";
import { createRing, SAMPLE_MS, SAMPLES_MAX, type Sample } from "./ring.ts";

const HOUR_MS = 3_600_000;
const share = fc.option(fc.double({ min: 0, max: 1, noNaN: true }));
const count = fc.option(fc.nat());
const figures = fc.record({
  processor: share,
  memory: share,
  throughputFloor: count,
  troubles: count,
  connectedFloor: fc.nat(),
  handshakeMs: count,
  echoMs: count,
  probesLost: share,
});

test("a ring gives back what the last hour brought, in its order, and nothing older", () => {
  // A sample may come late, or not at all while a node is away.
  const gap = fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: SAMPLE_MS, max: SAMPLE_MS + 500 }) },
    { weight: 1, arbitrary: fc.integer({ min: SAMPLE_MS, max: 2 * HOUR_MS }) },
  );
  const step = fc.record({ afterMs: gap, figures });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 400, size: "max" }),
      fc.nat({ max: SAMPLE_MS }),
      (steps, thenMs) => {
        const ring = createRing();
        const added: Sample[] = [];
        let nowMs = 0;
        for (const { afterMs, figures } of steps) {
          nowMs += afterMs;
          added.push({ ...figures, atMs: nowMs });
          ring.add({ ...figures, atMs: nowMs });
        }
        nowMs += thenMs;
        const expected = added.filter(({ atMs }) => atMs > nowMs - HOUR_MS);
        expect(ring.since(nowMs)).toEqual(expected);
        expect(expected.length).toBeLessThanOrEqual(SAMPLES_MAX);
      },
    ),
    { numRuns: 60 },
  );
});

test("a ring is empty until something is in it", () => {
  expect(createRing().since(0)).toEqual([]);
  expect(createRing().since(10 * HOUR_MS)).toEqual([]);
});
