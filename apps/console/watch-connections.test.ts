import type { Connection } from "@securewave/contracts";
import { expect, test } from "vitest";
import { watchConnections } from "./watch-connections.ts";

const connection: Connection = {
  device_id: "dev_00000000000000000001",
  ready: true,
  connected: true,
  handshake_age_seconds: 1,
  received_bytes: 0,
  sent_bytes: 0,
};

test("a broken stream is opened again after pauses that double, and start over once it speaks", async () => {
  const stop = new AbortController();
  const pauses: number[] = [];
  const signs: boolean[] = [];
  let opened = 0;

  async function* open() {
    opened++;
    if (opened < 4) throw new Error("broken");
    yield [connection];
  }

  await watchConnections({
    open,
    signal: stop.signal,
    onConnections: () => undefined,
    onLive: (isLive) => signs.push(isLive),
    random: () => 1,
    pause: async (milliseconds) => {
      pauses.push(milliseconds);
      if (pauses.length === 5) stop.abort();
    },
  });
  expect(pauses).toEqual([1000, 2000, 4000, 1000, 1000]);
  expect(signs).toEqual([false, false, false, true, false, true, false]);
});

test("a pause is never longer than half a minute", async () => {
  const stop = new AbortController();
  const pauses: number[] = [];
  await watchConnections({
    // biome-ignore lint/correctness/useYield: a stream that breaks before its first word
    open: async function* () {
      throw new Error("broken");
    },
    signal: stop.signal,
    onConnections: () => undefined,
    onLive: () => undefined,
    random: () => 1,
    pause: async (milliseconds) => {
      pauses.push(milliseconds);
      if (pauses.length === 9) stop.abort();
    },
  });
  expect(Math.max(...pauses)).toBe(30_000);
});
