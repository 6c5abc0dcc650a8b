import { REFUSALS } from "@securewave/contracts/node-protocol";
import { eventually } from "@securewave/testing/eventually";
import { expect, test, vi } from "vitest";
import { retryAfterMs } from "./connection.ts";
import { createMemoryDriver } from "./drivers/memory.ts";
import { noHost } from "./host.ts";
import { noStateFile } from "./state-file.ts";
import { appliedRevision, openPlane, snapshot, startAgent } from "./testing-agent.ts";
import { noTotalsFile } from "./totals-file.ts";

test("a removed node takes its tunnels down, forgets its state and comes no more", async () => {
  let isRemoved = false;
  const plane = await openPlane({
    onProof: () => [snapshot(1, [1, 2])],
    refuses: { after: "proof", code: () => (isRemoved ? REFUSALS.removed : undefined) },
  });
  const taken: string[] = [];
  const noteOf = (what: string) => async () => void taken.push(what);
  const onRemoved = vi.fn();
  const { agent, driver } = await startAgent(plane, {
    host: { ...noHost, remove: noteOf("firewall") },
    stateFile: { ...noStateFile, remove: noteOf("state") },
    totalsFile: { ...noTotalsFile, remove: noteOf("totals") },
    onRemoved,
    reportIntervalMs: 10,
  });
  await appliedRevision(plane, 1);
  isRemoved = true;
  plane.cut();
  await eventually(() => expect(onRemoved).toHaveBeenCalledOnce());
  expect(driver.peers.size).toBe(0);
  expect(taken).toEqual(["totals", "firewall", "state"]);
  expect(agent.status()).toMatchObject({ connected: false, refused: REFUSALS.removed });
  const connections = plane.connections();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(plane.connections()).toBe(connections);
});

test("who has not proved to be the control plane cannot remove a node, nor keep it away", async () => {
  let code: string | undefined;
  const plane = await openPlane({
    onProof: () => [snapshot(1, [1])],
    refuses: { after: "hello", code: () => code },
  });
  const onRemoved = vi.fn();
  const { agent, driver } = await startAgent(plane, { onRemoved });
  await appliedRevision(plane, 1);
  for (code of [REFUSALS.removed, REFUSALS.cloned]) {
    const connections = plane.connections();
    plane.cut();
    await eventually(() => expect(plane.connections()).toBeGreaterThan(connections + 1));
  }
  expect(onRemoved).not.toHaveBeenCalled();
  expect(driver.peers.size).toBe(1);
  expect(agent.status().refused).toBeNull();
});

test("an agent that speaks another version hears that it is outdated, and serves on", async () => {
  let code: string | undefined;
  const plane = await openPlane({
    onProof: () => [{ type: "release", agent_version: "7.8.9" }, snapshot(1, [1])],
    refuses: { after: "hello", code: () => code },
  });
  const [onOutdated, onRelease] = [vi.fn(), vi.fn()];
  const { agent, driver } = await startAgent(plane, { onOutdated, onRelease });
  await appliedRevision(plane, 1);
  expect(onRelease).toHaveBeenCalledExactlyOnceWith("7.8.9");
  expect(onOutdated).not.toHaveBeenCalled();
  code = REFUSALS.protocol;
  plane.cut();
  await eventually(() => expect(onOutdated).toHaveBeenCalled());
  expect(agent.status()).toMatchObject({ refused: REFUSALS.protocol, connected: false });
  expect(driver.peers.size).toBe(1);
});

test("a cloned node serves on with what it has", async () => {
  let code: string | undefined;
  const plane = await openPlane({
    onProof: () => [snapshot(1, [1])],
    refuses: { after: "proof", code: () => code },
  });
  const driver = createMemoryDriver();
  const { agent } = await startAgent(plane, { driver });
  await appliedRevision(plane, 1);
  code = REFUSALS.cloned;
  plane.cut();
  await eventually(() => expect(agent.status().refused).toBe(REFUSALS.cloned));
  expect(driver.peers.size).toBe(1);
});

test("who is refused asks again after a minute, a clone after ten, and others soon", () => {
  const boundsOf = (refusal: string) =>
    [0, 1].map((random) => retryAfterMs({ failures: 0, refusal, random }) / 1000);
  expect(boundsOf(REFUSALS.protocol)).toEqual([60, 90]);
  expect(boundsOf(REFUSALS.cloned)).toEqual([600, 900]);
  expect(boundsOf("nodes.not_recognised")).toEqual([0, 2]);
});

test.each([0, 1, 5, 60])(
  "500 agents whose control plane is away for %i s come back over some seconds",
  (awaySeconds) => {
    const random = createRandom();
    const arrivals = Array.from({ length: 500 }, () => {
      let atMs = 0;
      for (let failures = 0; failures === 0 || atMs < awaySeconds * 1000; failures++) {
        atMs += retryAfterMs({ failures, refusal: undefined, random: random() });
      }
      return atMs - awaySeconds * 1000;
    });
    const inWindow = (from: number, to: number) => arrivals.filter((at) => at >= from && at < to).length;
    for (let from = 0; from < 16_000; from += 100) expect(inWindow(from, from + 100)).toBeLessThan(60);
    expect(inWindow(0, 16_000)).toBe(500);
  },
);

/** From 0 to 1, the same in each run: a linear congruential generator (Numerical Recipes). */
function createRandom(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
