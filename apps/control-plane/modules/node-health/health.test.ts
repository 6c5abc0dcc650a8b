import { createPresence } from "@securewave/live";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createHealth, type Health } from "./health.ts";
import { SAMPLE_MS } from "./ring.ts";

const HEALTHY = { appliedRevision: 3, agentVersion: "1", problem: undefined };
const FRAME = {
  processor: 0.333,
  memory: 0.61,
  receivedBitsPerSecond: 4e6,
  sentBitsPerSecond: 20e6,
  troubles: 7,
};
const NODE = "node_1";
let connected = 0;
let presence = createPresence();
let health: Health;

beforeEach(() => {
  vi.useFakeTimers();
  connected = 0;
  presence = createPresence();
  health = createHealth({
    presence,
    connections: { countOf: () => connected },
    steadyMs: () => Date.now(),
  });
  presence.set(NODE, HEALTHY);
});
afterEach(() => {
  health.close();
  vi.useRealTimers();
});

test("what fewer than ten devices carry together is shown to nobody", () => {
  for (connected = 0; connected < 10; connected++) {
    health.take(NODE, FRAME);
    expect(health.of(NODE)).toMatchObject({ throughput: null, troubles: null, connected: "0–9" });
  }
  expect(health.of(NODE)).toMatchObject({ throughput: "10–30 Mbit/s", troubles: 7, connected: "10–49" });
});

test("a node's health is told in steps, and a figure that is missing as none", () => {
  expect(health.of(NODE)).toBeUndefined();
  presence.noteVitals(NODE, { handshakeMs: 4.5 });
  expect(health.of(NODE)).toEqual({
    processor: null,
    memory: null,
    throughput: null,
    troubles: null,
    connected: "0–9",
    handshake_ms: 4.5,
    echo_ms: null,
    probes_lost: null,
  });
  health.take(NODE, FRAME);
  expect(health.of(NODE)).toMatchObject({ processor: 0.35, memory: 0.6, handshake_ms: 4.5 });
});

test("the last hour has a sample every 30 seconds, none of the time in which the node was away", () => {
  health.take(NODE, FRAME);
  vi.advanceTimersByTime(3 * SAMPLE_MS);
  expect(health.samplesOf(NODE).map(({ age_seconds }) => age_seconds)).toEqual([60, 30, 0]);
  presence.remove(NODE);
  vi.advanceTimersByTime(2 * SAMPLE_MS);
  presence.set(NODE, HEALTHY);
  health.take(NODE, { ...FRAME, processor: 1 });
  vi.advanceTimersByTime(SAMPLE_MS);
  expect(health.samplesOf(NODE)).toMatchObject([
    { age_seconds: 150, processor: 0.35 },
    { age_seconds: 120, processor: 0.35 },
    { age_seconds: 90, processor: 0.35 },
    { age_seconds: 0, processor: 1 },
  ]);
  vi.advanceTimersByTime(3_600_000);
  expect(health.samplesOf(NODE)).toHaveLength(120);
  presence.remove(NODE);
  vi.advanceTimersByTime(3_600_000);
  expect(health.samplesOf(NODE)).toEqual([]);
});

test("a node that is connected elsewhere has its hour here too", () => {
  const vitals = { ...FRAME, handshakeMs: 3, echoMs: 4, probesLost: 0 };
  presence.setElsewhere("node_2", HEALTHY, vitals);
  vi.advanceTimersByTime(SAMPLE_MS);
  expect(health.samplesOf("node_2")).toMatchObject([{ processor: 0.35, handshake_ms: 3, probes_lost: 0 }]);
});
