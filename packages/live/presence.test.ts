import { expect, test } from "vitest";
import { createPresence } from "./index.ts";

const HEALTHY = { appliedRevision: 3, agentVersion: "1", problem: undefined };

test("what was found out about a node stays, whatever it says of itself, until something else is found", () => {
  const presence = createPresence();
  presence.set("node_1", HEALTHY);
  presence.find("node_1", "It is silent.");
  expect(presence.of("node_1")).toEqual({ ...HEALTHY, finding: "It is silent." });
  const troubled = { ...HEALTHY, problem: "It has no interface." };
  presence.set("node_1", troubled);
  expect(presence.of("node_1")).toEqual({ ...troubled, finding: "It is silent." });
  presence.set("node_1", HEALTHY);
  presence.find("node_1", undefined);
  expect(presence.of("node_1")).toEqual(HEALTHY);
});

test("nothing is noted of a node that is not connected here, and nothing of one stays that has gone", () => {
  const presence = createPresence();
  presence.noteVitals("node_1", { processor: 1 });
  presence.find("node_1", "It is silent.");
  presence.set("node_1", HEALTHY);
  expect(presence.vitalsOf("node_1")).toBeUndefined();
  expect(presence.of("node_1")).toEqual(HEALTHY);
  presence.noteVitals("node_1", { processor: 1 });
  presence.find("node_1", "It is silent.");
  presence.remove("node_1");
  presence.set("node_1", HEALTHY);
  expect(presence.vitalsOf("node_1")).toBeUndefined();
  expect(presence.of("node_1")).toEqual(HEALTHY);
});

test("who listens hears of a node's problems and not of its vitals", () => {
  const presence = createPresence();
  const heard: string[] = [];
  presence.set("node_1", HEALTHY);
  presence.subscribe((nodeId) => void heard.push(nodeId));
  presence.noteVitals("node_1", { processor: 1 });
  expect(heard).toEqual([]);
  presence.find("node_1", "It is silent.");
  presence.find("node_1", "It is silent.");
  expect(heard).toEqual(["node_1"]);
});

test("a node that came here is known by what it tells here", () => {
  const presence = createPresence();
  const vitals = { ...NOTHING, processor: 0.9 };
  presence.setElsewhere("node_1", { ...HEALTHY, problem: "It is silent." }, vitals);
  expect(presence.vitalsOf("node_1")).toEqual(vitals);
  presence.set("node_1", HEALTHY);
  expect(presence.of("node_1")).toEqual(HEALTHY);
  expect(presence.vitalsOf("node_1")).toBeUndefined();
});

const NOTHING = {
  processor: null,
  memory: null,
  receivedBitsPerSecond: null,
  sentBitsPerSecond: null,
  troubles: null,
  handshakeMs: null,
  echoMs: null,
  probesLost: null,
};
