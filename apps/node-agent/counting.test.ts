import { decodeFigures, decodeSettled } from "@securewave/contracts/node-frames";
import type { AgentFrame } from "@securewave/contracts/node-protocol";
import { createManualClock } from "@securewave/foundation";
import { createUsage, type Mark, type NodeChannel, type Usage } from "@securewave/live";
import type { PublicKey } from "@securewave/wireguard";
import { parsePublicKey } from "@securewave/wireguard";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Counting, createCounting } from "./counting.ts";
import type { PeerCounters, Reading } from "./drivers/driver.ts";
import { peerSpec } from "./testing-plane.ts";
import type { SavedTotals } from "./totals.ts";
import type { TotalsFile } from "./totals-file.ts";

const NODE = "node_1";
const MIB = 2 ** 20;
const PEERS = [1, 2, 3].map((number) => keyOf(number));
/** Two devices of one account, and one of another. */
const OWNERS = new Map([
  [PEERS[0], "account_1"],
  [PEERS[1], "account_1"],
  [PEERS[2], "account_2"],
]);

type Step =
  | { do: "flow"; peer: number; received: number; sent: number }
  | { do: "tick" }
  | { do: "scrub"; peer: number }
  | { do: "remove" | "add"; peer: number }
  | { do: "agent-killed"; keeps: "file" | "nothing"; interface: "stays" | "gone" }
  | { do: "link-lost" | "plane-killed" }
  | { do: "flush"; crash: "none" | "before-commit" | "before-settled" | "abandoned" | "link-lost" };

/** A node with an interface, its agent, the link, a control plane and a ledger; any of them can fail. */
function createWorld() {
  const flowed = new Map<string, number>();
  const raw = new Map<PublicKey, { received: number; sent: number }>();
  let wanted = new Set<PublicKey>(PEERS);
  let saved: SavedTotals | undefined;
  const file: TotalsFile = {
    read: async () => saved && structuredClone(saved),
    async write(totals) {
      saved = structuredClone(totals);
      return true;
    },
    async remove() {
      saved = undefined;
    },
  };
  const clock = createManualClock(1_700_000_000_000);
  const base = new Map<string, number>();
  let marks = new Map<string, Mark>();
  let usage = startPlane();
  let counting: Counting;
  let isLinked = false;
  /** What was sent and has not arrived. */
  let toAgent: (() => void)[] = [];

  function startPlane(): Usage {
    const plane = createUsage({ clock, steadyMs: () => 0 });
    const known = new Map(marks);
    plane.useMarks((nodeId) => known.get(nodeId));
    return plane;
  }

  const reading = (): Reading => ({
    peerCount: wanted.size,
    counters: Array.from(raw, ([publicKey, { received, sent }]): PeerCounters => {
      const lastHandshakeSeconds = clock.now() / 1000;
      return { publicKey, receivedBytes: received, sentBytes: sent, lastHandshakeSeconds, hasEndpoint: true };
    }),
  });

  const channel: NodeChannel = {
    close: (batch) => toAgent.push(() => counting.close(batch)),
    settled: (incarnation, batch) => toAgent.push(() => counting.settled(incarnation, batch)),
    recount: () => toAgent.push(() => counting.recount()),
  };
  const ownerOf = (key: string) => OWNERS.get(PEERS.find((peer) => peer === key));
  const link = {
    isOpen: true,
    send(frame: AgentFrame) {
      if (!isLinked) return;
      if (frame.type === "roster") {
        const settled = decodeSettled(frame.settled, frame.peers.length);
        if (!settled) throw new Error("a roster says what is settled");
        expect(usage.takeRoster(NODE, { ...frame, settled }, ownerOf)).toBe(true);
      }
      if (frame.type === "slots") expect(usage.takeSlots(NODE, frame, ownerOf)).toBe(true);
    },
    sendFigures(bytes: Uint8Array) {
      if (!isLinked) return;
      const frame = decodeFigures(bytes);
      if (frame?.kind === "report") usage.takeReport(NODE, frame);
      if (frame?.kind === "batch") usage.takeBatch(NODE, frame);
    },
    close() {},
  };

  async function startAgent(interfaceStays: boolean): Promise<void> {
    counting = createCounting({
      file,
      clock,
      steadyMs: clock.now,
      log: (event) => {
        throw new Error(event);
      },
      link: () => link,
      wantedKeys: () => wanted,
      read: async () => reading(),
    });
    await counting.open();
    if (!interfaceStays) {
      raw.clear();
      counting.interfaceMade();
      await counting.flush();
    }
  }

  /** Brings what was sent to the agent, and its answers back, until nobody has more to say. */
  async function settleDown(): Promise<void> {
    for (;;) {
      const arriving = toAgent;
      toAgent = [];
      if (arriving.length === 0) break;
      for (const arrive of arriving) if (isLinked) arrive();
      await counting.flush();
    }
  }

  async function connect(): Promise<void> {
    isLinked = true;
    usage.connect(NODE, channel);
    counting.connected();
    await counting.flush();
    await settleDown();
  }

  async function tick(): Promise<void> {
    if (!isLinked) await connect();
    await counting.report(reading());
    await settleDown();
  }

  function cut(): void {
    isLinked = false;
    toAgent = [];
    usage.disconnect(NODE, channel);
  }

  async function killPlane(): Promise<void> {
    isLinked = false;
    toAgent = [];
    usage = startPlane();
  }

  async function flush(crash: string): Promise<void> {
    if (!isLinked) await connect();
    const closing = usage.closeBatch(50);
    if (crash === "link-lost") {
      cut();
      (await closing).abandon();
      return;
    }
    await settleDown();
    const batch = await closing;
    if (crash === "abandoned") return batch.abandon();
    if (crash === "before-commit") return killPlane();
    marks = new Map([...marks.values(), ...batch.marks].map((mark) => [mark.nodeId, mark]));
    batch.forEachSettled((accountId, bytes) => {
      expect(bytes % MIB, "rows hold whole MiB").toBe(0);
      base.set(accountId, (base.get(accountId) ?? 0) + bytes);
    });
    if (crash === "before-settled") return killPlane();
    const known = new Map(marks);
    usage.useMarks((nodeId) => known.get(nodeId));
    batch.settled();
    await settleDown();
  }

  function flow(step: Extract<Step, { do: "flow" }>): void {
    const peer = PEERS[step.peer];
    if (peer === undefined || !wanted.has(peer)) return;
    const counters = raw.get(peer) ?? { received: 0, sent: 0 };
    raw.set(peer, { received: counters.received + step.received, sent: counters.sent + step.sent });
    const account = OWNERS.get(peer) ?? "";
    flowed.set(account, (flowed.get(account) ?? 0) + step.received + step.sent);
  }

  async function run(step: Step): Promise<void> {
    switch (step.do) {
      case "flow":
        flow(step);
        return;
      case "tick":
        return tick();
      case "scrub": {
        const peer = PEERS[step.peer];
        if (peer === undefined || !raw.has(peer)) return;
        await tick();
        raw.delete(peer);
        counting.forgotten([peer]);
        return counting.flush();
      }
      case "remove": {
        const peer = PEERS[step.peer];
        await tick();
        wanted = new Set([...wanted].filter((key) => key !== peer));
        if (peer !== undefined) raw.delete(peer);
        return tick();
      }
      case "add": {
        const peer = PEERS[step.peer];
        if (peer !== undefined) wanted = new Set([...wanted, peer]);
        return;
      }
      case "agent-killed":
        cut();
        if (step.keeps === "nothing") saved = undefined;
        return startAgent(step.interface === "stays");
      case "link-lost":
        return cut();
      case "plane-killed":
        return killPlane();
      case "flush":
        return flush(step.crash);
    }
  }

  const countedOf = (account: string) => (base.get(account) ?? 0) + usage.unsettledOf(account);
  return {
    start: () => startAgent(false),
    run,
    tick,
    distrusted: () => usage.distrusted(),
    differences: () => ["account_1", "account_2"].map((id) => countedOf(id) - (flowed.get(id) ?? 0)),
    usage: () => usage,
    base,
  };
}

const peer = fc.integer({ min: 0, max: 2 });
const bytes = fc.oneof(fc.integer({ min: 0, max: 3 * MIB }), fc.constantFrom(0, MIB, MIB - 1, 5_000_000_000));
const faithful = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("flow"), peer, received: bytes, sent: bytes }) },
  { weight: 2, arbitrary: fc.constant({ do: "tick" }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("scrub"), peer }) },
  {
    weight: 1,
    arbitrary: fc.constant({ do: "agent-killed", keeps: "file", interface: "stays" }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("link-lost", "plane-killed") }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("flush"),
      crash: fc.constantFrom("none", "before-commit", "before-settled", "abandoned", "link-lost"),
    }),
  },
) as fc.Arbitrary<Step>;
const lossy = fc.oneof(
  { weight: 4, arbitrary: faithful },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("remove", "add"), peer }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("agent-killed"),
      keeps: fc.constantFrom("file", "nothing"),
      interface: fc.constantFrom("stays", "gone"),
    }),
  },
) as fc.Arbitrary<Step>;

describe("each byte counts once", () => {
  test("through any order of ticks, scrubs, kills of the agent, lost links, restarts of the plane and flushes that crash anywhere", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(faithful, { minLength: 5, maxLength: 30 }), async (steps) => {
        const world = createWorld();
        await world.start();
        for (const step of steps) {
          await world.run(step);
          expect(Math.max(...world.differences()), "never more than what flowed").toBeLessThanOrEqual(0);
        }
        await world.tick();
        await world.tick();
        expect(world.differences(), "nothing lost, nothing twice").toEqual([0, 0]);
        expect(world.distrusted().size, "an honest node is never distrusted").toBe(0);
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  test("and never more than once when the node's memory, its interface or devices are lost too", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(lossy, { minLength: 5, maxLength: 40 }), async (steps) => {
        const world = createWorld();
        await world.start();
        for (const step of steps) {
          await world.run(step);
          expect(Math.max(...world.differences()), "never more than what flowed").toBeLessThanOrEqual(0);
        }
        await world.tick();
        expect(world.distrusted().size, "an honest node is never distrusted").toBe(0);
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  test("an agent whose interface is made anew loses what flowed since its last tick and nothing else", async () => {
    const world = createWorld();
    await world.start();
    await world.run({ do: "flow", peer: 0, received: 10 * MIB, sent: 1 });
    await world.tick();
    await world.run({ do: "flow", peer: 0, received: 1000, sent: 0 });
    await world.run({ do: "agent-killed", keeps: "file", interface: "gone" });
    await world.run({ do: "flow", peer: 0, received: 77, sent: 0 });
    await world.tick();
    expect(world.differences()).toEqual([-1000, 0]);
  });

  test("a device that was removed is settled at the next flush; its rest below a MiB stays with the account", async () => {
    const world = createWorld();
    await world.start();
    await world.run({ do: "flow", peer: 1, received: 3 * MIB + 5, sent: 7 });
    await world.run({ do: "remove", peer: 1 });
    await world.run({ do: "flush", crash: "none" });
    expect(world.base.get("account_1")).toBe(3 * MIB);
    expect(world.usage().unsettledOf("account_1")).toBe(12);
    expect(world.usage().figuresOf(NODE)?.keys).not.toContain(PEERS[1]);
  });
});

function keyOf(number: number): PublicKey {
  const key = parsePublicKey(peerSpec(number).public_key);
  if (key === undefined) throw new Error("a test peer has a usable key");
  return key;
}
