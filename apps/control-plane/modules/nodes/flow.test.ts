import type { AgentFrame } from "@securewave/contracts/node-protocol";
import { eventually } from "@securewave/testing/eventually";
import fc from "fast-check";
import { afterAll, describe, expect, test, vi } from "vitest";
import { codeOf, connectNode, openTestApp } from "../../testing.ts";
import { createFlow, type FlowLimits } from "./flow.ts";

const LIMITS: FlowLimits = { framesPerSecond: 100, framesMax: 50, bytesPerSecond: 1000, bytesMax: 2000 };

describe("what a node may make this process do", () => {
  test("is bounded over any time by a burst and a rate, whatever the frames", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      fc.assert(
        fc.property(fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 400 }), (sizes) => {
          let isPaused = false;
          let heldBack = 0;
          const flow = createFlow({
            socket: {
              pause: () => {
                isPaused = true;
              },
              resume: () => {
                isPaused = false;
              },
            },
            onHeldBack: () => heldBack++,
            limits: LIMITS,
          });
          const startedMs = performance.now();
          let [frames, bytes] = [0, 0];
          for (const size of sizes) {
            while (isPaused) vi.advanceTimersByTime(10);
            const seconds = (performance.now() - startedMs) / 1000;
            expect(frames).toBeLessThanOrEqual(LIMITS.framesMax + seconds * LIMITS.framesPerSecond + 1);
            expect(bytes).toBeLessThanOrEqual(LIMITS.bytesMax + seconds * LIMITS.bytesPerSecond + 400);
            flow.take(size);
            frames += 1;
            bytes += size;
          }
          const isWithin = frames <= LIMITS.framesMax && bytes <= LIMITS.bytesMax;
          expect(heldBack).toBe(isWithin ? 0 : 1);
          flow.close();
          expect(isPaused).toBe(false);
        }),
        { numRuns: 100 },
      );
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a flood", async () => {
  const service = await openTestApp();
  afterAll(() => service.close());

  test("of reports is read later, holds up nobody else, and ends with the node in order", async () => {
    const [node, calm] = [await connectNode(service), await connectNode(service)];
    const person = await service.person();
    const device = await person.client.devices.create({
      body: { name: "Phone", server_id: node.identity.id },
    });
    await node.holds(device.public_key);
    for (let sent = 0; sent < 20_000; sent++) node.report([{ public_key: device.public_key }]);
    const warnings = () => service.logLines.filter((line) => line.includes("read at once"));
    await eventually(() => expect(warnings()).toHaveLength(1));
    expect(node.socket().readyState, "it is not cut off").toBe(node.socket().OPEN);
    const other = await service.person();
    const startedMs = performance.now();
    const second = await other.client.devices.create({
      body: { name: "Phone", server_id: calm.identity.id },
    });
    await calm.holds(second.public_key);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    node.socket().terminate();
    await node.connect();
    expect(await codeOf(person.client.devices.show({ params: { id: device.id } }))).toBe("ok");
    expect(warnings()).toHaveLength(1);
  });

  test("of demands for the whole state is answered no faster than frames are read", async () => {
    const node = await connectNode(service);
    const { logLines } = service;
    const applied: AgentFrame = { type: "applied", revision: 0, hash: node.peers.hash(), failed: [] };
    const startedCpu = process.cpuUsage();
    for (let sent = 0; sent < 3_000; sent++) {
      node.send(applied);
      node.send({ type: "resync", reason: "again" });
    }
    const warnings = () => logLines.filter((line) => line.includes("read at once"));
    await eventually(() => expect(warnings().length).toBeGreaterThan(1));
    const { user, system } = process.cpuUsage(startedCpu);
    expect(user + system).toBeLessThan(5_000_000);
    node.socket().terminate();
  });
});
