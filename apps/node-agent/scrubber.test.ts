import { createManualClock } from "@securewave/foundation";
import type { Peer, PublicKey } from "@securewave/wireguard";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { PeerCounters } from "./drivers/driver.ts";
import { createMemoryDriver } from "./drivers/memory.ts";
import { parsePeerSpec } from "./peer-spec.ts";
import { createScrubber, type ScrubberOptions } from "./scrubber.ts";
import { peerSpec } from "./testing-plane.ts";
import { noTraces, type Traces } from "./traces.ts";

const START_MS = 1_700_000_000_000;
const made = new Map<number, Peer>();

/** A node with so many peers, whose two clocks are moved by hand. */
function openScene(peerCount: number, options: Partial<ScrubberOptions> = {}) {
  const clock = createManualClock(START_MS);
  let steadyMs = 50_000;
  let isBroken = false;
  const driver = createMemoryDriver({
    before: () => {
      if (isBroken) throw new Error("the interface is gone");
    },
  });
  const peers = Array.from({ length: peerCount }, (_, number) => peerOf(number));
  for (const peer of peers) driver.peers.set(peer.publicKey, peer);
  const wanted = new Map<PublicKey, Peer>(peers.map((peer) => [peer.publicKey, peer]));
  const forgotten: PublicKey[] = [];
  const swept: string[] = [];
  const traces: Traces = {
    ...noTraces,
    forget: async (batch) => void swept.push(...batch.flatMap(({ allowedIps }) => allowedIps)),
  };
  const scrubber = createScrubber({
    driver,
    traces,
    clock,
    steadyMs: () => steadyMs,
    peerOf: (publicKey) => wanted.get(publicKey),
    onForgotten: (publicKeys) => void forgotten.push(...publicKeys),
    ...options,
  });
  return {
    clock,
    driver,
    scrubber,
    wanted,
    forgotten,
    swept,
    breakDriver: (isSo: boolean) => {
      isBroken = isSo;
    },
    keyOf: (number: number) => peerOf(number).publicKey,
    /** Gives a peer state, as of the system's clock at this moment. */
    use(number: number, more: Partial<PeerCounters> = {}) {
      const { publicKey } = peerOf(number);
      const counters = {
        publicKey,
        receivedBytes: 1,
        sentBytes: 1,
        lastHandshakeSeconds: Math.floor(clock.now() / 1000),
        hasEndpoint: true,
        ...more,
      };
      driver.counters.set(publicKey, counters);
    },
    /** Lets time go by, with a tick every 5 s. */
    async pass(seconds: number) {
      for (let left = seconds; left > 0; left -= 5) {
        const step = Math.min(left, 5);
        clock.advanceSeconds(step);
        steadyMs += step * 1000;
        await this.tick();
      }
    },
    async tick() {
      const reading = { peerCount: driver.peers.size, counters: [...driver.counters.values()] };
      await scrubber.scrub(reading);
      await scrubber.stop();
    },
    isKnown: (number: number) => driver.counters.has(peerOf(number).publicKey),
  };
}

test("a peer is forgotten once its handshake is 180 s old, and never before", async () => {
  const scene = openScene(1);
  scene.use(0);
  await scene.pass(175);
  expect(scene.isKnown(0)).toBe(true);
  await scene.pass(10);
  expect(scene.isKnown(0)).toBe(false);
  expect(scene.forgotten).toEqual([scene.keyOf(0)]);
  expect(scene.driver.peers.get(scene.keyOf(0))).toEqual(peerOf(0));
  await scene.pass(15);
  expect(scene.swept).toEqual([...peerOf(0).allowedIps]);
});

test("a half handshake is forgotten after 30 s", async () => {
  const scene = openScene(1);
  await scene.tick();
  scene.use(0, { lastHandshakeSeconds: 0 });
  await scene.pass(30);
  expect(scene.isKnown(0)).toBe(true);
  await scene.pass(10);
  expect(scene.isKnown(0)).toBe(false);
});

test("a peer in use is never made anew", async () => {
  const scene = openScene(1);
  for (let round = 0; round < 10; round++) {
    scene.use(0);
    await scene.pass(120);
  }
  expect(scene.driver.writes.resets).toBe(0);
});

test("a client that is coming back is waited for, and no longer than for a half handshake", async () => {
  const scene = openScene(1);
  scene.use(0);
  await scene.pass(175);
  const handshake = scene.driver.counters.get(scene.keyOf(0))?.lastHandshakeSeconds ?? 0;
  let receivedBytes = 1;
  for (let second = 0; second < 30; second += 5) {
    receivedBytes += 148;
    scene.use(0, { receivedBytes, lastHandshakeSeconds: handshake });
    await scene.pass(5);
    expect(scene.isKnown(0)).toBe(true);
  }
  receivedBytes += 148;
  scene.use(0, { receivedBytes, lastHandshakeSeconds: handshake });
  await scene.pass(10);
  expect(scene.isKnown(0)).toBe(false);
});

test("a clock that is set, forth or back, cuts nobody off and keeps nobody", async () => {
  for (const jumpSeconds of [-86_400, 86_400]) {
    const scene = openScene(1);
    scene.use(0);
    await scene.pass(20);
    scene.clock.advanceSeconds(jumpSeconds);
    await scene.pass(155);
    expect(scene.isKnown(0)).toBe(true);
    await scene.pass(10);
    expect(scene.isKnown(0)).toBe(false);
    // A handshake after it is as old as it is.
    scene.use(0);
    await scene.pass(175);
    expect(scene.isKnown(0)).toBe(true);
    await scene.pass(10);
    expect(scene.isKnown(0)).toBe(false);
  }
});

test("an agent that starts later knows how old the handshakes are that it finds", async () => {
  const scene = openScene(2);
  scene.use(0, { lastHandshakeSeconds: START_MS / 1000 - 170 });
  scene.use(1, { lastHandshakeSeconds: START_MS / 1000 - 3600 });
  await scene.tick();
  expect([scene.isKnown(0), scene.isKnown(1)]).toEqual([true, false]);
  await scene.pass(15);
  expect(scene.isKnown(0)).toBe(false);
});

test("a peer that is to be removed does not come back, and what the kernel knows of it goes too", async () => {
  const scene = openScene(2);
  scene.use(0);
  scene.use(1);
  await scene.pass(5);
  // Unwanted, and still on the interface.
  scene.wanted.delete(scene.keyOf(0));
  await scene.pass(180);
  expect(scene.driver.writes.resets).toBe(1);
  expect(scene.isKnown(0)).toBe(true);
  scene.driver.peers.delete(scene.keyOf(0));
  scene.driver.counters.delete(scene.keyOf(0));
  await scene.pass(20);
  expect(scene.driver.peers.has(scene.keyOf(0))).toBe(false);
  expect(scene.swept).toEqual([...peerOf(1).allowedIps, ...peerOf(0).allowedIps]);
});

test("thousands of idle peers are forgotten some at a time, those idle longest first", async () => {
  const scene = openScene(50, { limits: { passPeersMax: 20 } });
  for (let number = 0; number < 50; number++) {
    scene.use(number, { lastHandshakeSeconds: START_MS / 1000 - 1000 - number });
  }
  await scene.tick();
  expect(scene.forgotten).toEqual(Array.from({ length: 20 }, (_, at) => scene.keyOf(49 - at)));
  await scene.pass(10);
  expect(scene.driver.counters.size).toBe(0);
});

test("what cannot be forgotten makes the node late, and it is tried until it works", async () => {
  const events: string[] = [];
  const scene = openScene(1, { log: (event) => void events.push(event) });
  scene.use(0);
  await scene.pass(175);
  scene.breakDriver(true);
  await scene.pass(60);
  expect(scene.scrubber.isLate()).toBe(false);
  await scene.pass(10);
  expect(scene.scrubber.isLate()).toBe(true);
  scene.breakDriver(false);
  await scene.pass(10);
  expect(scene.scrubber.isLate()).toBe(false);
  expect(scene.isKnown(0)).toBe(false);
  expect(events).toEqual(["not-forgetting", "forgetting-again"]);
});

test("flows that cannot be removed make the node late as well", async () => {
  let isBroken = true;
  const swept: string[] = [];
  const forget: Traces["forget"] = async (peers) => {
    if (isBroken) throw new Error("no netlink");
    swept.push(...peers.flatMap(({ allowedIps }) => allowedIps));
  };
  const scene = openScene(1, { traces: { ...noTraces, forget } });
  scene.use(0);
  await scene.pass(185);
  expect(scene.scrubber.isLate()).toBe(false);
  await scene.pass(65);
  expect(scene.scrubber.isLate()).toBe(true);
  isBroken = false;
  await scene.pass(20);
  expect(scene.scrubber.isLate()).toBe(false);
  expect(swept).toEqual([...peerOf(0).allowedIps]);
});

test("the first sweep is of strangers too, once it is known who belongs there; it is tried until it works", async () => {
  const tunnel = { addresses: ["10.8.0.1/16"], peers: [peerOf(0)] };
  let known: typeof tunnel | undefined;
  let isBroken = true;
  const sweeps: unknown[] = [];
  const forgetStrangers: Traces["forgetStrangers"] = async (present) => {
    sweeps.push(present);
    if (isBroken) throw new Error("no netlink");
  };
  const scene = openScene(1, { traces: { ...noTraces, forgetStrangers }, tunnel: () => known });
  await scene.pass(30);
  expect(sweeps).toEqual([]);
  known = tunnel;
  await scene.pass(40);
  expect(sweeps.length).toBeGreaterThan(1);
  expect(scene.scrubber.isLate()).toBe(true);
  isBroken = false;
  await scene.pass(15);
  expect(scene.scrubber.isLate()).toBe(false);
  const { length } = sweeps;
  await scene.pass(300);
  expect(sweeps).toEqual(Array.from({ length }, () => tunnel));
});

test("what was taken off the interface is swept though no reading ever showed it", async () => {
  const scene = openScene(1);
  await scene.tick();
  scene.scrubber.takenOff([peerOf(7)]);
  await scene.pass(5);
  expect(scene.swept).toEqual([...peerOf(7).allowedIps]);
});

test("a node that nobody looks at is late", async () => {
  const scene = openScene(1);
  await scene.tick();
  expect(scene.scrubber.isLate()).toBe(false);
  await scene.pass(5);
  expect(scene.scrubber.isLate()).toBe(false);
  const unread = openScene(1, { steadyMs: steps(0, 61_000) });
  expect(unread.scrubber.isLate()).toBe(true);
});

test("a tick does not wait for an interface that hangs, and the work goes on", async () => {
  let free = () => {};
  const hanging = new Promise<void>((resolve) => {
    free = resolve;
  });
  const reset = async () => {
    await hanging;
    return [];
  };
  const scene = openScene(1, { driver: { reset }, limits: { waitMs: 5 } });
  scene.use(0, { lastHandshakeSeconds: 1 });
  const reading = { peerCount: 1, counters: [...scene.driver.counters.values()] };
  await scene.scrubber.scrub(reading);
  await scene.scrubber.scrub(reading);
  expect(scene.forgotten).toEqual([]);
  free();
  await scene.scrubber.stop();
  expect(scene.forgotten).toEqual([scene.keyOf(0)]);
});

test("whatever happens, nothing lasts 240 s and no session ends before its time", async () => {
  const happenings = fc.array(
    fc.record({
      afterSeconds: fc.integer({ min: 1, max: 120 }),
      number: fc.nat({ max: 3 }),
      what: fc.constantFrom("use", "half", "jump-forth", "jump-back"),
    }),
    { maxLength: 25 },
  );
  const property = fc.asyncProperty(happenings, async (list) => {
    const scene = openScene(4);
    let nowSeconds = 0;
    const usedAt = new Map<number, number>();
    const passAndCheck = async (seconds: number) => {
      for (let left = seconds; left > 0; left -= 5) {
        await scene.pass(Math.min(left, 5));
        nowSeconds += Math.min(left, 5);
        for (const [number, at] of usedAt) {
          if (nowSeconds - at < 180) expect(scene.isKnown(number)).toBe(true);
          if (nowSeconds - at >= 240) expect(scene.isKnown(number)).toBe(false);
        }
      }
    };
    await scene.tick();
    for (const { afterSeconds, number, what } of list) {
      await passAndCheck(afterSeconds);
      if (what === "jump-forth") scene.clock.advanceSeconds(100_000);
      else if (what === "jump-back") scene.clock.advanceSeconds(-100_000);
      else if (what === "use") {
        scene.use(number);
        usedAt.set(number, nowSeconds);
      } else if (!scene.isKnown(number)) {
        scene.use(number, { lastHandshakeSeconds: 0 });
        usedAt.delete(number);
      }
    }
    await passAndCheck(300);
    expect(scene.driver.counters.size).toBe(0);
    expect(scene.driver.peers.size).toBe(4);
  });
  await fc.assert(property, { numRuns: 60 });
});

function steps(...values: number[]): () => number {
  return () => (values.length > 1 ? values.shift() : values[0]) ?? 0;
}

function peerOf(number: number): Peer {
  const known = made.get(number);
  if (known !== undefined) return known;
  const peer = parsePeerSpec(peerSpec(number, { presharedKey: number + 1 }));
  if (peer === undefined) throw new Error("a test peer is a usable one");
  made.set(number, peer);
  return peer;
}
