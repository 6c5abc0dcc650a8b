import { createManualClock } from "@securewave/foundation";
import { expect, test } from "vitest";
import { createConnections, floorOf, rangeOf } from "./index.ts";

function peer(publicKey: string, bytes: number, handshakeAgeSeconds = 5) {
  return { publicKey, receivedBytes: bytes, sentBytes: bytes * 2, handshakeAgeSeconds };
}

test("a session's bytes start at zero when it is first seen, and grow with the node's counters", () => {
  const connections = createConnections({ clock: createManualClock(0) });
  connections.report("node_1", [peer("a", 1000)]);
  expect(connections.stateOf("a")).toMatchObject({ isConnected: true, receivedBytes: 0, sentBytes: 0 });
  connections.report("node_1", [peer("a", 1500)]);
  expect(connections.stateOf("a")).toMatchObject({ receivedBytes: 500, sentBytes: 1000 });
});

test("what a report does not name is gone, and nothing of it is left", () => {
  const connections = createConnections({ clock: createManualClock(0) });
  connections.report("node_1", [peer("a", 1), peer("b", 1)]);
  connections.report("node_1", [peer("b", 2)]);
  expect(connections.stateOf("a")).toMatchObject({ isConnected: false, receivedBytes: 0 });
  expect(connections.count()).toBe(1);
  connections.forgetNode("node_1");
  expect(connections.count()).toBe(0);
});

test("a device counts as disconnected three minutes after its last handshake, also when its node fell silent", () => {
  const clock = createManualClock(0);
  const connections = createConnections({ clock });
  connections.report("node_1", [peer("a", 1, 100)]);
  clock.advanceSeconds(79);
  expect(connections.stateOf("a")).toMatchObject({ isConnected: true, handshakeAgeSeconds: 179 });
  clock.advanceSeconds(1);
  expect(connections.stateOf("a").isConnected).toBe(false);
});

test("an old node's late report does not take a moved device off its new node", () => {
  const connections = createConnections({ clock: createManualClock(0) });
  connections.report("node_1", [peer("a", 1)]);
  connections.report("node_2", [peer("a", 1)]);
  connections.report("node_1", []);
  expect(connections.stateOf("a").isConnected).toBe(true);
});

test("a subscriber hears of its own devices only", () => {
  const connections = createConnections({ clock: createManualClock(0) });
  let heard = 0;
  const stop = connections.subscribe(
    () => ["a"],
    () => heard++,
  );
  connections.report("node_1", [peer("b", 1)]);
  expect(heard).toBe(0);
  connections.report("node_1", [peer("a", 1)]);
  expect(heard).toBe(1);
  stop();
  connections.report("node_1", []);
  expect(heard).toBe(1);
});

test("staff cannot tell one connection from none", () => {
  expect(rangeOf(0)).toBe(rangeOf(1));
  expect(rangeOf(9)).toBe("0–9");
  expect(rangeOf(10)).toBe("10–49");
  expect(rangeOf(123_456)).toBe("100000 or more");
  expect(floorOf(49)).toBe(10);
});
