import type { ReadableSpan } from "@opentelemetry/sdk-trace-node";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSpanQueue } from "./span-queue.ts";

const span = {} as ReadableSpan;
beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A collector that takes as long as a test says. */
function open(options: { spansMax?: number; takes?: () => Promise<boolean> } = {}) {
  const batches: number[] = [];
  let dropped = 0;
  let underWay = 0;
  let underWayMax = 0;
  const queue = createSpanQueue({
    ...(options.spansMax === undefined ? {} : { spansMax: options.spansMax }),
    async deliver(spans) {
      underWayMax = Math.max(underWayMax, ++underWay);
      batches.push(spans.length);
      const isTaken = await (options.takes?.() ?? true);
      underWay--;
      return isTaken;
    },
    onDrop: (count) => {
      dropped += count;
    },
  });
  const add = (count: number) => {
    for (let at = 0; at < count; at++) queue.add(span);
  };
  const sum = () => batches.reduce((total, length) => total + length, 0);
  return { queue, add, batches, sum, dropped: () => dropped, underWayMax: () => underWayMax };
}

test("5,000 spans at once are delivered whole, one small batch after the other", async () => {
  const { queue, add, sum, batches, dropped, underWayMax } = open();
  add(5000);
  await queue.close(1000);
  expect(sum()).toBe(5000);
  expect(dropped()).toBe(0);
  expect(Math.max(...batches)).toBe(256);
  expect(underWayMax()).toBe(1);
});

test("what comes while the queue is full is dropped and counted, so that memory stays bounded", async () => {
  const { queue, add, sum, dropped } = open({ takes: () => new Promise(() => {}) });
  add(20_000);
  expect(sum()).toBe(256);
  expect(dropped()).toBe(20_000 - 8192 - 256);
  const closing = queue.close(1000);
  await vi.advanceTimersByTimeAsync(1001);
  await closing;
  expect(dropped()).toBe(20_000 - 256);
});

test("few spans wait until they are worth a request, but not long", async () => {
  const { add, batches } = open();
  add(3);
  await vi.advanceTimersByTimeAsync(4000);
  add(2);
  expect(batches).toEqual([]);
  await vi.advanceTimersByTimeAsync(1001);
  expect(batches).toEqual([5]);
  add(1);
  await vi.advanceTimersByTimeAsync(5001);
  expect(batches).toEqual([5, 1]);
});

test("batches that the collector does not take are counted, and the next are tried", async () => {
  const answers = [async () => false, () => Promise.reject(new Error("away")), async () => true];
  const { queue, add, batches, dropped } = open({ takes: async () => (await answers.shift()?.()) ?? true });
  add(256 * 3);
  await queue.close(1000);
  expect(batches).toEqual([256, 256, 256]);
  expect(dropped()).toBe(512);
});

test("after it was closed everything is dropped, and counted", async () => {
  const { queue, add, batches, dropped } = open();
  await queue.close(1000);
  add(2);
  expect(batches).toEqual([]);
  expect(dropped()).toBe(2);
});
