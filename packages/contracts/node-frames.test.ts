import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeFigures,
  decodeHealth,
  decodeSettled,
  encodeFigures,
  encodeHealth,
  encodeSettled,
  figuresBytes,
  settleable,
} from "./node-frames.ts";

const MIB = 2 ** 20;
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const slot = fc.tuple(fc.double(), fc.double(), fc.integer({ min: 0, max: 255 }));

function reportOf(slots: readonly (readonly [number, number, number])[], roster = 1, sequence = 1) {
  return {
    kind: "report" as const,
    roster,
    sequence,
    received: Float64Array.from(slots, ([received]) => received),
    sent: Float64Array.from(slots, ([, sent]) => sent),
    ages: Uint8Array.from(slots, ([, , age]) => age),
  };
}

describe("figures", () => {
  test("are read as they were written, wherever they lie in memory", () => {
    fc.assert(
      fc.property(
        fc.array(slot),
        u32,
        u32,
        fc.integer({ min: 0, max: 15 }),
        (slots, roster, number, offset) => {
          const report = reportOf(slots, roster, number);
          const { kind: _, sequence: __, ages: ___, ...totals } = report;
          for (const frame of [report, { ...totals, kind: "batch" as const, batch: number }]) {
            const bytes = encodeFigures(frame);
            const elsewhere = Buffer.alloc(bytes.length + 16);
            elsewhere.set(bytes, offset);
            expect(decodeFigures(elsewhere.subarray(offset, offset + bytes.length))).toEqual(frame);
          }
        },
      ),
    );
  });

  test("of nobody and of everybody are of the same size, whatever the figures are", () => {
    fc.assert(
      fc.property(fc.array(slot), (slots) => {
        const idle = reportOf(slots.map(() => [0, 0, 255] as const));
        expect(encodeFigures(reportOf(slots)).length).toBe(encodeFigures(idle).length);
        const text = encodeSettled(reportOf(slots));
        expect(text.length).toBe(encodeSettled(idle).length);
      }),
    );
  });

  test("that are cut, longer, of another kind or random are none, and nothing is thrown", () => {
    const whole = encodeFigures(
      reportOf([
        [1, 2, 3],
        [4, 5, 6],
      ]),
    );
    for (let length = 0; length < whole.length; length++) {
      expect(decodeFigures(whole.subarray(0, length))).toBeUndefined();
    }
    expect(decodeFigures(Buffer.concat([whole, Buffer.alloc(1)]))).toBeUndefined();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 3, max: 255 }), (at, value) => {
        const changed = Uint8Array.from(whole);
        changed[at] = value;
        expect(decodeFigures(changed)).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), u32, (bytes, slots) => {
        const lying = Uint8Array.from(whole);
        new DataView(lying.buffer).setUint32(12, slots, true);
        if (slots !== 2) expect(decodeFigures(lying)).toBeUndefined();
        const frame = decodeFigures(bytes);
        if (frame) expect(figuresBytes(frame.kind, frame.received.length)).toBe(bytes.length);
      }),
    );
  });
});

describe("what is settled", () => {
  test("is read as it was written, by exactly as many slots", () => {
    fc.assert(
      fc.property(fc.array(slot), (slots) => {
        const { received, sent } = reportOf(slots);
        const text = encodeSettled({ received, sent });
        expect(decodeSettled(text, slots.length)).toEqual({ received, sent });
        expect(decodeSettled(text, slots.length + 1)).toBeUndefined();
      }),
    );
  });

  test("is read for 100,000 slots", () => {
    const received = Float64Array.from({ length: 100_000 }, (_, at) => at * 1e9);
    const text = encodeSettled({ received, sent: received });
    expect(decodeSettled(text, 100_000)?.sent.at(-1)).toBe(99_999e9);
  });

  test("is whole MiB, never more than what is there, and leaves less than one", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (bytes) => {
        const settled = settleable(bytes);
        expect(settled % MIB).toBe(0);
        expect(settled).toBeGreaterThanOrEqual(0);
        if (bytes >= 0) expect(bytes - settled).toBeLessThan(MIB);
        expect(settled).toBeLessThanOrEqual(Math.max(0, bytes));
      }),
    );
  });
});

describe("health", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const rate = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
  const health = fc.record({
    processor: share,
    memory: share,
    receivedBitsPerSecond: rate,
    sentBitsPerSecond: rate,
    troubles: u32,
  });

  test("is read as it was written, shares to a thousandth, wherever it lies in memory; its size is always the same", () => {
    fc.assert(
      fc.property(health, fc.integer({ min: 0, max: 15 }), (frame, offset) => {
        const bytes = encodeHealth(frame);
        expect(bytes.length).toBe(32);
        const elsewhere = Buffer.alloc(bytes.length + 16);
        elsewhere.set(bytes, offset);
        const { processor, memory, ...rest } = frame;
        const read = decodeHealth(elsewhere.subarray(offset, offset + bytes.length));
        expect(read).toMatchObject(rest);
        expect(Math.abs((read?.processor ?? 2) - processor)).toBeLessThanOrEqual(0.0005001);
        expect(Math.abs((read?.memory ?? 2) - memory)).toBeLessThanOrEqual(0.0005001);
        expect(decodeFigures(bytes)).toBeUndefined();
      }),
    );
  });

  test("that is cut, longer, of another kind, of figures that cannot be or random is none, and nothing is thrown", () => {
    const whole = encodeHealth({
      processor: 1,
      memory: 0,
      receivedBitsPerSecond: 5,
      sentBitsPerSecond: 6,
      troubles: 7,
    });
    for (let length = 0; length < whole.length; length++) {
      expect(decodeHealth(whole.subarray(0, length))).toBeUndefined();
    }
    expect(decodeHealth(Buffer.concat([whole, Buffer.alloc(1)]))).toBeUndefined();
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 2, 3, 28, 31), fc.integer({ min: 4, max: 255 }), (at, value) => {
        const changed = Uint8Array.from(whole);
        changed[at] = value;
        expect(decodeHealth(changed)).toBeUndefined();
      }),
    );
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
      const changed = Uint8Array.from(whole);
      new DataView(changed.buffer).setFloat64(16, wrong, true);
      expect(decodeHealth(changed)).toBeUndefined();
    }
    const over = Uint8Array.from(whole);
    new DataView(over.buffer).setUint16(4, 1001, true);
    expect(decodeHealth(over)).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 30, maxLength: 34 }), (bytes) => void decodeHealth(bytes)),
    );
  });
});
