import { eventually } from "@securewave/testing/eventually";
import type { PublicKey } from "@securewave/wireguard";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createMemoryDriver } from "./drivers/memory.ts";
import { AgentError } from "./errors.ts";
import type { Limit } from "./shaping.ts";
import { createSpeeds } from "./speeds.ts";
import { noStateFile, type SavedState } from "./state-file.ts";
import {
  appliedRevision,
  framesOf,
  hashOf,
  openPlane,
  parsed,
  restrict,
  startAgent,
  throttled,
  tiers,
} from "./testing-agent.ts";
import { peerSpec, TEST_INTERFACE } from "./testing-plane.ts";

type Call = Record<string, number | null>;

/** A shaper that notes what it is told, by public key: kbit/s, or null for none. */
function createNotes(before: () => Promise<void> | void = () => undefined) {
  const held = new Map<string, Limit>();
  const calls: { from?: Call; change?: Call }[] = [];
  const shownOf = (limits: ReadonlyMap<string, Limit | undefined>): Call =>
    Object.fromEntries(Array.from(limits, ([key, limit]) => [key, limit?.kbitPerSecond ?? null]));
  return {
    calls,
    held,
    shown: () => shownOf(held),
    async apply(limits: ReadonlyMap<string, Limit>) {
      await before();
      calls.push({ from: shownOf(limits) });
      held.clear();
      for (const [key, limit] of limits) held.set(key, limit);
    },
    async change(limits: ReadonlyMap<string, Limit | undefined>) {
      await before();
      calls.push({ change: shownOf(limits) });
      for (const [key, limit] of limits) {
        if (limit) held.set(key, limit);
        else held.delete(key);
      }
    },
  };
}

const keyOf = (number: number) => parsed(number).publicKey;
const snapshotOf = (revision: number, ...peers: (readonly [number: number, tier: number])[]) => ({
  type: "snapshot" as const,
  revision,
  peers: peers.map(([number, tier]) => peerSpec(number, { tier })),
});
const changeOf = (
  from: number,
  upserts: (readonly [number: number, tier: number])[],
  removals: number[] = [],
) => ({
  type: "change" as const,
  from,
  to: from + 1,
  upserts: upserts.map(([number, tier]) => peerSpec(number, { tier })),
  removals: removals.map((number) => peerSpec(number).public_key),
});

test("each device has its tier's speed or its throttle, whichever is smaller; one with neither has no limit", async () => {
  const frames = [
    tiers([1, 10_000], [2, 50_000]),
    restrict(1, [throttled(1, 500), throttled(2, 90_000), throttled(4, 700)]),
    snapshotOf(1, [1, 1], [2, 2], [3, 1], [4, 0], [5, 0], [6, 9]),
  ];
  const plane = await openPlane({ onProof: () => frames });
  const shaper = createNotes();
  await startAgent(plane, { shaper });
  const limits = { [keyOf(1)]: 500, [keyOf(2)]: 50_000, [keyOf(3)]: 10_000, [keyOf(4)]: 700 };
  await eventually(() => expect(shaper.shown()).toEqual(limits));
  expect(shaper.held.get(keyOf(1))?.addresses).toEqual(peerSpec(1).allowed_ips);
  plane.send(restrict(2, []));
  const lifted = { ...limits, [keyOf(1)]: 10_000 };
  delete lifted[keyOf(4)];
  await eventually(() => expect(shaper.shown()).toEqual(lifted));
});

test("another tier of one device is one change of one limit, and nothing of the interface or the set's hash", async () => {
  const peers = Array.from({ length: 500 }, (_, number) => [number, 1] as const);
  const plane = await openPlane({ onProof: () => [tiers([1, 1000], [2, 2000]), snapshotOf(1, ...peers)] });
  const shaper = createNotes();
  const { driver } = await startAgent(plane, { shaper });
  const before = await appliedRevision(plane, 1);
  await eventually(() => expect(shaper.held.size).toBe(500));
  shaper.calls.length = 0;
  const writes = { ...driver.writes };
  plane.send(changeOf(1, [[7, 2]]));
  const after = await appliedRevision(plane, 2);
  expect(after?.hash).toBe(before?.hash);
  expect(driver.writes).toEqual(writes);
  await eventually(() => expect(shaper.calls).toEqual([{ change: { [keyOf(7)]: 2000 } }]));
  plane.send(changeOf(2, [[7, 0]], [8]));
  await eventually(() =>
    expect(shaper.calls.at(-1)).toEqual({ change: { [keyOf(7)]: null, [keyOf(8)]: null } }),
  );
});

test("a tier that gets another speed changes its own devices only; the same list again is no work", async () => {
  const plane = await openPlane({
    onProof: () => [tiers([1, 1000], [2, 2000]), snapshotOf(1, [1, 1], [2, 2], [3, 2])],
  });
  const shaper = createNotes();
  await startAgent(plane, { shaper });
  await eventually(() => expect(shaper.held.size).toBe(3));
  shaper.calls.length = 0;
  plane.send(tiers([2, 2000], [1, 1000]), tiers([1, 1000], [2, 3000]));
  const faster = { [keyOf(2)]: 3000, [keyOf(3)]: 3000 };
  await eventually(() => expect(shaper.calls).toEqual([{ change: faster }]));
  plane.send(tiers([2, 3000]));
  await eventually(() => expect(shaper.calls.at(-1)).toEqual({ change: { [keyOf(1)]: null } }));
});

test("a throttle reaches the kernel's queues while the interface is still being worked on", async () => {
  const released = Promise.withResolvers<void>();
  let isSlow = false;
  const driver = createMemoryDriver({ before: () => (isSlow ? released.promise : undefined) });
  const plane = await openPlane({ onProof: () => [tiers(), snapshotOf(1, [1, 0])] });
  const shaper = createNotes();
  await startAgent(plane, { driver, shaper });
  await appliedRevision(plane, 1);
  isSlow = true;
  plane.send(changeOf(1, [[2, 0]]), restrict(1, [throttled(1, 500)]));
  await eventually(() => expect(shaper.shown()).toEqual({ [keyOf(1)]: 500 }));
  expect(framesOf(plane, "applied")).toHaveLength(1);
  released.resolve();
  isSlow = false;
  await appliedRevision(plane, 2);
});

test("a throttle is told before thousands of limits that are still to be told, in pieces", async () => {
  const peers = Array.from({ length: 900 }, (_, index) => [index, 1] as const);
  const released = Promise.withResolvers<void>();
  let isSlow = false;
  const shaper = createNotes(() => (isSlow ? released.promise : undefined));
  const plane = await openPlane({ onProof: () => [tiers([1, 9000])] });
  const { agent } = await startAgent(plane, { shaper });
  await eventually(() => expect(shaper.calls).toEqual([{ from: {} }]));
  isSlow = true;
  plane.send(snapshotOf(1, ...peers), restrict(1, [throttled(899, 500)]));
  await eventually(() => expect(agent.status().revision).toBe(1));
  plane.send(changeOf(1, [], [898]));
  await appliedRevision(plane, 2);
  released.resolve();
  await eventually(() => expect(shaper.held.size).toBe(899));
  const [, first, second] = shaper.calls.map(({ change = {} }) => Object.entries(change));
  expect(first?.length).toBeLessThanOrEqual(250);
  expect(second?.[0]).toEqual([keyOf(899), 500]);
});

test("an interface that is made anew gets all limits again, and what failed is brought whole", async () => {
  let isBroken = false;
  let isGone = false;
  const shaper = createNotes(() => {
    if (isBroken) throw new AgentError("This kernel has no queues.");
  });
  const driver = createMemoryDriver({
    before() {
      if (isGone) throw new AgentError("The WireGuard interface is gone.");
    },
  });
  const plane = await openPlane({ onProof: () => [tiers([1, 1000]), snapshotOf(1, [1, 1], [2, 1])] });
  await startAgent(plane, { driver, shaper, reportIntervalMs: 20 });
  const whole = { [keyOf(1)]: 1000, [keyOf(2)]: 1000 };
  await eventually(() => expect(shaper.shown()).toEqual(whole));
  isGone = true;
  await eventually(() => expect(framesOf(plane, "condition").at(-1)?.problem).toContain("is gone"));
  isGone = false;
  shaper.calls.length = 0;
  await eventually(() => expect(shaper.calls).toEqual([{ change: {} }])); // it stands as it was
  await eventually(() => expect(framesOf(plane, "condition").at(-1)?.problem).toBeNull());
  await driver.close("sw0");
  isGone = true;
  await eventually(() => expect(framesOf(plane, "condition").at(-1)?.problem).toContain("is gone"));
  isGone = false;
  await eventually(() => expect(shaper.calls.slice(1)).toEqual([{ from: {} }, { change: whole }]));
  isBroken = true;
  plane.send(changeOf(1, [[3, 1]]));
  await eventually(() =>
    expect(framesOf(plane, "condition").at(-1)?.problem).toBe("This kernel has no queues."),
  );
  isBroken = false;
  await eventually(() => expect(shaper.calls.at(-1)).toEqual({ change: { ...whole, [keyOf(3)]: 1000 } }));
  await eventually(() => expect(framesOf(plane, "condition").at(-1)?.problem).toBeNull());
});

test("a restarted agent holds devices to the speeds it saved while the control plane is away", async () => {
  let saved: SavedState | undefined;
  const stateFile = {
    ...noStateFile,
    save: (describe: () => SavedState | undefined) => {
      saved = describe();
    },
    read: async () => saved,
  };
  const driver = createMemoryDriver();
  const plane = await openPlane({ onProof: () => [tiers([1, 1000]), snapshotOf(1, [1, 1], [2, 0])] });
  const { agent } = await startAgent(plane, { driver, stateFile });
  await appliedRevision(plane, 1);
  await agent.stop();
  await plane.close();
  expect(saved).toMatchObject({ hash: hashOf([1, 2]), interface: TEST_INTERFACE });
  const shaper = createNotes();
  await startAgent(plane, { driver, stateFile, shaper });
  await eventually(() => expect(shaper.calls).toEqual([{ from: {} }, { change: { [keyOf(1)]: 1000 } }]));
});

test("an agent that knows of no speeds leaves the limits of the one before it alone until it is told", async () => {
  const driver = createMemoryDriver();
  const plane = await openPlane({ onProof: () => [snapshotOf(1, [1, 1])] });
  const shaper = createNotes();
  await startAgent(plane, { driver, shaper, reportIntervalMs: 10 });
  await appliedRevision(plane, 1);
  await eventually(() => expect(plane.healths.length).toBeGreaterThan(3));
  expect(shaper.calls).toEqual([]);
  plane.send(tiers());
  await eventually(() => expect(shaper.calls).toEqual([{ from: {} }]));
});

const number = fc.integer({ min: 0, max: 5 });
const speed = fc.integer({ min: 1, max: 4 });
type Scene = ReturnType<typeof createScene>;
const step: fc.Arbitrary<(scene: Scene) => Promise<void> | void> = fc.oneof(
  fc.tuple(number, number).map(
    ([device, tier]) =>
      (scene: Scene) =>
        scene.put(device, tier),
  ),
  number.map((device) => (scene: Scene) => scene.put(device, undefined)),
  fc.array(fc.tuple(number, speed)).map((speeds) => (scene: Scene) => scene.take(new Map(speeds))),
  fc.array(fc.tuple(number, speed)).map((of) => (scene: Scene) => scene.throttle(new Map(of))),
  fc
    .constantFrom("interfaceMade", "touchAll", "breakShaper", "wait")
    .map((deed: "interfaceMade" | "touchAll" | "breakShaper" | "wait") => (scene: Scene) => scene[deed]()),
);

test("whatever comes in whatever order, the shaper ends with what is wanted", async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
    const scene = createScene();
    for (const play of steps) await play(scene);
    const { shown, wanted, problem } = await scene.end();
    expect(shown).toEqual(wanted);
    expect(problem).toBeNull();
  });
  await fc.assert(property, { numRuns: 300 });
});

/** Speeds beside plain maps that say the same. */
function createScene() {
  let failuresLeft = 0;
  const shaper = createNotes(async () => {
    await Promise.resolve();
    if (failuresLeft-- > 0) throw new Error("for a test");
  });
  const devices = new Map([0, 1, 2, 3, 4, 5].map((device) => [keyOf(device), parsed(device)]));
  const tierOf = new Map<PublicKey, number>();
  let tierSpeeds: ReadonlyMap<number, number> = new Map();
  let throttles = new Map<PublicKey, number>();
  const speeds = createSpeeds({
    shaper,
    peerOf: (key) => (tierOf.has(key) ? devices.get(key) : undefined),
    tierOf: (key) => tierOf.get(key) ?? 0,
    wantedKeys: () => [...tierOf.keys()],
    onAttempt: () => undefined,
  });
  const wait = () => new Promise<void>((resolve) => setImmediate(resolve));
  speeds.takeTiers([]);
  speeds.interfaceUp("created");

  function wantedOf(key: PublicKey): Record<string, number> {
    const both = [tierSpeeds.get(tierOf.get(key) ?? 0), throttles.get(key)];
    const present = both.filter((one) => one !== undefined);
    return present.length > 0 ? { [key]: Math.min(...present) } : {};
  }

  return {
    put(device: number, tier: number | undefined) {
      if (tier === undefined) tierOf.delete(keyOf(device));
      else tierOf.set(keyOf(device), tier);
      speeds.peersChanged([keyOf(device)]);
    },
    take(of: ReadonlyMap<number, number>) {
      tierSpeeds = new Map([...of].filter(([tier]) => tier > 0));
      speeds.takeTiers(Array.from(tierSpeeds, ([tier, kbit_per_second]) => ({ tier, kbit_per_second })));
    },
    throttle(of: ReadonlyMap<number, number>) {
      throttles = new Map(Array.from(of, ([device, kbit]) => [keyOf(device), kbit]));
      speeds.takeThrottles(throttles);
    },
    interfaceMade() {
      shaper.held.clear();
      speeds.interfaceUp("created");
    },
    touchAll: () => speeds.peersChanged("all"),
    breakShaper() {
      failuresLeft = 2;
    },
    wait,
    async end() {
      await wait();
      failuresLeft = 0;
      speeds.bring();
      await wait();
      const wanted = Object.assign({}, ...Array.from(tierOf.keys(), wantedOf));
      return { shown: shaper.shown(), wanted, problem: speeds.problem };
    },
  };
}
