import { createManualClock } from "@securewave/foundation";
import { describe, expect, test } from "vitest";
import { createUsage, type Impossible, type Mark } from "./index.ts";
import { createTestNode } from "./testing-node.ts";

const MIB = 2 ** 20;

function setUp() {
  const clock = createManualClock(1_700_000_000_000);
  const steady = { ms: 0 };
  const doubts: [string, Impossible][] = [];
  const usage = createUsage({ clock, steadyMs: () => steady.ms, lineGbitPerSecond: 1 });
  usage.listen({ distrusted: (nodeId, why) => doubts.push([nodeId, why]) });
  return { clock, steady, usage, doubts, node: createTestNode("node_1") };
}

describe("what an account used", () => {
  test("is the sum over its devices on all nodes, in both directions", () => {
    const { usage, node } = setUp();
    const other = createTestNode("node_2");
    node.connect(usage, ["a1", "b1"]);
    other.connect(usage, ["a2"]);
    node.report({ a1: [10, 20], b1: [3, 4] });
    other.report({ a2: [100, 200] });
    expect(usage.unsettledOf("a")).toBe(330);
    expect(usage.unsettledOf("b")).toBe(7);
    expect(usage.unsettledOf("stranger")).toBe(0);
    const all = new Map<string, number>();
    usage.forEachUnsettled((id, bytes) => all.set(id, bytes));
    expect(all).toEqual(
      new Map([
        ["a", 330],
        ["b", 7],
      ]),
    );
  });

  test("leaves out a peer that is nobody's, such as the prober, which is connected nowhere and nobody's doubt", () => {
    const { usage, doubts } = setUp();
    const node = createTestNode("node_1", (key) => (key === "prober" ? undefined : "a"));
    node.connect(usage, ["a1", "prober"]);
    node.report({ a1: [10, 1], prober: [50, 50] });
    node.report({ prober: [60, 60] });
    expect(usage.unsettledOf("a")).toBe(11);
    expect([...usage.connectedKeysOf("a")]).toEqual([]);
    expect(usage.connections.countOf("node_1")).toBe(0);
    expect(usage.connections.stateOf("prober").isConnected).toBe(false);
    expect(doubts).toEqual([]);
  });

  test("does not change when a report comes twice, a connection is lost or a roster comes again", () => {
    const { usage, node } = setUp();
    node.connect(usage, ["a1"]);
    node.report({ a1: [10, 20] });
    node.report({ a1: [10, 20] });
    node.disconnect();
    expect(usage.unsettledOf("a")).toBe(30);
    node.connect(usage, ["a1"]);
    expect(usage.unsettledOf("a")).toBe(30);
    node.report({ a1: [15, 20] });
    expect(usage.unsettledOf("a")).toBe(35);
  });

  test("keeps what an incarnation left that has ended", () => {
    const { usage, node } = setUp();
    node.connect(usage, ["a1"]);
    node.report({ a1: [10, 20] });
    node.beginAnew();
    node.connect(usage, ["a1"]);
    node.report({ a1: [1, 0] });
    expect(usage.unsettledOf("a")).toBe(31);
  });

  test("keeps what a slot left that is gone", () => {
    const { usage, node } = setUp();
    node.connect(usage, ["a1", "b1"]);
    node.report({ a1: [10, 20], b1: [1, 1] });
    node.connect(usage, ["b1"]);
    expect(usage.unsettledOf("a")).toBe(30);
    expect(usage.unsettledOf("b")).toBe(2);
  });

  test("is told of once for many reports, naming who used more", () => {
    const { usage, node } = setUp();
    const told: string[][] = [];
    usage.onUsed((ids) => told.push([...ids].sort()));
    node.connect(usage, ["a1", "a2", "b1", "c1"]);
    node.report({ a1: [1, 0], a2: [1, 0], b1: [0, 0] });
    node.report({ a1: [2, 0], c1: [0, 1] });
    usage.flush();
    expect(told).toEqual([["a", "c"]]);
  });
});

describe("settling", () => {
  test("takes whole MiB of each slot and direction off, when the ledger has them and not before", async () => {
    const { usage, node } = setUp();
    node.connect(usage, ["a1", "a2"]);
    node.report({ a1: [3 * MIB + 5, MIB - 1], a2: [MIB, 0] });
    const batch = await usage.closeBatch();
    const rows = new Map<string, number>();
    batch.forEachSettled((id, bytes) => rows.set(id, (rows.get(id) ?? 0) + bytes));
    expect(rows).toEqual(new Map([["a", 4 * MIB]]));
    expect(usage.unsettledOf("a")).toBe(5 * MIB + 4);
    batch.settled();
    expect(usage.unsettledOf("a")).toBe(MIB + 4);
    expect(node.settledBatches).toEqual(["1"]);
    node.report({ a1: [3 * MIB + 6, MIB], a2: [MIB, 0] });
    expect(usage.unsettledOf("a")).toBe(MIB + 6);
  });

  test("of a batch that was not written leaves all as it was, and the next batch settles it", async () => {
    const { usage, node } = setUp();
    node.connect(usage, ["a1"]);
    node.report({ a1: [2 * MIB, 0] });
    (await usage.closeBatch()).abandon();
    expect(usage.unsettledOf("a")).toBe(2 * MIB);
    const batch = await usage.closeBatch();
    expect(batch.marks).toMatchObject([{ nodeId: "node_1", batch: 1 }]);
    batch.settled();
    expect(usage.unsettledOf("a")).toBe(0);
  });

  test("does not wait for a node that says nothing; it settles another day", async () => {
    const { usage, node } = setUp();
    node.connect(usage, ["a1"]);
    node.report({ a1: [2 * MIB, 0] });
    usage.connect("node_1", { close: () => undefined, settled: () => undefined, recount: () => undefined });
    const batch = await usage.closeBatch(20);
    expect(batch.marks).toEqual([]);
    batch.settled();
    expect(usage.unsettledOf("a")).toBe(2 * MIB);
  });

  test("includes what ended incarnations left, once", async () => {
    const { usage, node } = setUp();
    node.connect(usage, ["a1"]);
    node.report({ a1: [2 * MIB + 9, 0] });
    node.beginAnew();
    node.connect(usage, ["a1"]);
    const rows: number[] = [];
    for (let day = 0; day < 2; day++) {
      const batch = await usage.closeBatch();
      batch.forEachSettled((_, bytes) => rows.push(bytes));
      batch.settled();
    }
    expect(rows).toEqual([2 * MIB]);
    expect(usage.unsettledOf("a")).toBe(9);
  });

  test("that the node never heard of is told again before anything of it counts", async () => {
    const { usage, node, clock } = setUp();
    node.connect(usage, ["a1"]);
    node.report({ a1: [2 * MIB, 0] });
    const batch = await usage.closeBatch();
    const marks = new Map<string, Mark>(batch.marks.map((mark) => [mark.nodeId, mark]));
    // The control plane dies with the batch in its ledger.
    const next = createUsage({ clock });
    next.useMarks((nodeId) => marks.get(nodeId));
    node.connect(next, ["a1"]);
    node.report({ a1: [2 * MIB + 3, 0] });
    expect(node.settledBatches).toEqual(["1"]);
    expect(next.unsettledOf("a")).toBe(3);
  });
});

describe("impossible figures", () => {
  const lies: [string, Impossible, readonly [number, number]][] = [
    ["goes backwards", "backwards", [99, 100]],
    ["is above what its line can have carried", "above_line", [100 + (1e9 / 8) * 36, 100]],
    ["is negative", "no_count", [-1, 100]],
    ["is no number", "no_count", [Number.NaN, 100]],
    ["is not whole", "no_count", [100.5, 100]],
    ["is above 2^53", "no_count", [2 ** 53, 100]],
    ["is infinite", "no_count", [100, Number.POSITIVE_INFINITY]],
  ];
  test.each(lies)(
    "a figure that %s puts the node under quarantine and touches nobody's usage",
    (_, why, figures) => {
      const { usage, node, steady, doubts } = setUp();
      node.connect(usage, ["a1", "b1"]);
      node.report({ a1: [100, 100], b1: [5, 5] });
      steady.ms += 5000;
      node.report({ a1: figures, b1: [1000, 1000] });
      expect(doubts).toEqual([["node_1", why]]);
      expect([usage.unsettledOf("a"), usage.unsettledOf("b")]).toEqual([200, 10]);
      node.report({ a1: [200, 200], b1: [1000, 1000] });
      expect([usage.unsettledOf("a"), usage.unsettledOf("b")], "no byte counts").toEqual([200, 10]);
      expect(doubts).toHaveLength(1);
      expect(usage.connections.stateOf("a1").isConnected, "who is connected is still shown").toBe(true);
    },
  );

  test("a line that was used in full is believed, and what it did not carry before is no credit", () => {
    const { usage, node, steady, doubts } = setUp();
    node.connect(usage, ["a1"]);
    let total = 0;
    node.report({ a1: [total, 0] });
    for (let tick = 0; tick < 100; tick++) {
      steady.ms += 5000;
      total += (1e9 / 8) * 5;
      node.report({ a1: [total, total] });
    }
    expect(doubts).toEqual([]);
    steady.ms += 5000;
    node.report({ a1: [total + (1e9 / 8) * 36, total] });
    expect(doubts).toEqual([["node_1", "above_line"]]);
  });

  test("bytes of another node's device put the node under quarantine", () => {
    const { usage, node, doubts } = setUp();
    const liar = createTestNode("node_2", () => undefined);
    node.connect(usage, ["a1"]);
    node.report({ a1: [1, 1] });
    liar.connect(usage, ["a1"]);
    liar.report({ a1: [0, 0] });
    liar.report({ a1: [1_000_000, 0] });
    expect(doubts).toEqual([["node_2", "foreign_peer"]]);
    expect(usage.unsettledOf("a")).toBe(2);
    expect(usage.connections.count()).toBe(1);
  });

  test("a roster that says other bytes to be settled than were puts the node under quarantine", () => {
    const { usage, node, doubts } = setUp();
    node.connect(usage, ["a1"]);
    node.report({ a1: [10 * MIB, 0] });
    const { incarnation, number } = usage.figuresOf("node_1") ?? { incarnation: "", number: 0 };
    const settled = { received: new Float64Array([MIB]), sent: new Float64Array([0]) };
    usage.takeRoster(
      "node_1",
      { incarnation, number: number + 1, batch: 0, peers: ["a1"], settled },
      () => "a",
    );
    expect(doubts).toEqual([["node_1", "settled_differs"]]);
    expect(usage.unsettledOf("a")).toBe(10 * MIB);
  });

  test("a node that is trusted again counts anew, from there on", async () => {
    const { usage, node, steady } = setUp();
    node.connect(usage, ["a1"]);
    node.report({ a1: [100, 0] });
    node.report({ a1: [50, 0] });
    steady.ms += 5000;
    node.report({ a1: [5_000_000, 0] });
    usage.distrust("node_1", "earlier", true);
    expect(node.recounts).toBe(1);
    expect(usage.distrusted().size).toBe(0);
    node.report({ a1: [7, 0] });
    expect(usage.unsettledOf("a")).toBe(107);
  });

  test("a node that was trusted again while it was away is told to count anew when it comes", () => {
    const { usage, node } = setUp();
    usage.distrust("node_1", "earlier", true);
    node.connect(usage, ["a1"]);
    expect(node.recounts).toBe(1);
    node.report({ a1: [7, 0] });
    expect(usage.unsettledOf("a")).toBe(7);
  });

  test("a quarantined node takes no part in a batch, and what it had counted is settled", async () => {
    const { usage, node } = setUp();
    node.connect(usage, ["a1"]);
    node.report({ a1: [3 * MIB, 0] });
    node.report({ a1: [1, 0] });
    const batch = await usage.closeBatch(20);
    const rows: number[] = [];
    batch.forEachSettled((_, bytes) => rows.push(bytes));
    batch.settled();
    expect([rows, batch.marks]).toEqual([[3 * MIB], []]);
    expect(usage.unsettledOf("a")).toBe(0);
  });
});

describe("connections", () => {
  test("a device counts as disconnected three minutes after its last handshake, also when its node fell silent", () => {
    const { usage, node, clock } = setUp();
    node.connect(usage, ["a1"]);
    node.report({ a1: [1, 1] }, 100);
    clock.advanceSeconds(79);
    expect(usage.connections.stateOf("a1")).toMatchObject({ isConnected: true, handshakeAgeSeconds: 179 });
    clock.advanceSeconds(1);
    expect(usage.connections.stateOf("a1").isConnected).toBe(false);
  });

  test("a clock that is set back makes nobody's session younger or longer than its report", () => {
    const { usage, node, clock } = setUp();
    node.connect(usage, ["a1"]);
    node.report({ a1: [1, 1] }, 100);
    clock.advanceSeconds(-3600);
    expect(usage.connections.stateOf("a1")).toMatchObject({ isConnected: true, handshakeAgeSeconds: 100 });
    node.report({ a1: [1, 1] }, 20);
    expect(usage.connections.stateOf("a1")).toMatchObject({ handshakeAgeSeconds: 20 });
  });

  test("an old node's late report does not take a moved device off its new node", () => {
    const { usage, node } = setUp();
    const next = createTestNode("node_2");
    node.connect(usage, ["a1"]);
    node.report({ a1: [1, 1] }, 60);
    next.connect(usage, ["a1"]);
    next.report({ a1: [0, 0] }, 2);
    expect(usage.connections.stateOf("a1")).toMatchObject({ isConnected: true, handshakeAgeSeconds: 2 });
    node.report({});
    expect(usage.connections.stateOf("a1").isConnected).toBe(true);
    expect([...usage.connectedKeysOf("a")]).toEqual(["a1"]);
  });

  test("a session's bytes begin at its beginning", () => {
    const { usage, node } = setUp();
    node.connect(usage, ["a1"]);
    node.report({ a1: [1000, 500] });
    node.report({});
    node.report({ a1: [1500, 500] });
    expect(usage.connections.stateOf("a1")).toMatchObject({ receivedBytes: 500, sentBytes: 0 });
  });

  test("so do those of a peer that came after the roster, though the node's first report comes later still", () => {
    const { usage, node } = setUp();
    node.connect(usage, ["a1"]);
    node.add("b1");
    node.report({ a1: [1000, 500], b1: [70, 90] });
    expect(usage.connections.stateOf("a1")).toMatchObject({ receivedBytes: 0, sentBytes: 0 });
    expect(usage.connections.stateOf("b1")).toMatchObject({ receivedBytes: 70, sentBytes: 90 });
  });

  test("of a node that is not believed, they are none from its first report on", () => {
    const { usage, node } = setUp();
    usage.distrust(node.id, "earlier", false);
    node.connect(usage, ["a1"]);
    node.report({ a1: [1000, 500] });
    node.report({ a1: [2000, 600] });
    expect(usage.connections.stateOf("a1")).toMatchObject({
      isConnected: true,
      receivedBytes: 0,
      sentBytes: 0,
    });
  });

  test("who hears of connections is told which accounts' began or ended, and subscribers of their own devices", () => {
    const { usage, node } = setUp();
    const told: string[][] = [];
    let heard = 0;
    usage.onConnected((ids) => told.push([...ids].sort()));
    usage.connections.subscribe(
      () => ["a1"],
      () => heard++,
    );
    node.connect(usage, ["a1", "b1"]);
    node.report({ b1: [1, 1] });
    usage.flush();
    expect([heard, told]).toEqual([0, [["b"]]]);
    node.report({ a1: [1, 1], b1: [2, 2] });
    node.report({ a1: [1, 1], b1: [3, 3] });
    usage.flush();
    expect([heard, told]).toEqual([2, [["b"], ["a"]]]);
    node.disconnect();
    usage.flush();
    expect(told.at(-1)).toEqual(["a", "b"]);
    expect(usage.connections.count()).toBe(0);
  });
});
