import fc from "fast-check";
import { expect, test } from "vitest";
import { createHealth } from "./health.ts";

const MEMINFO = "MemTotal:        4000 kB\nMemFree:          100 kB\nMemAvailable:    1000 kB\n";
const statOf = (user: number, idle: number, waiting = 0) =>
  `cpu  ${user} 0 0 ${idle} ${waiting} 0 0 0 ${user} 0\ncpu0 1 1 1 1\n`;
const devicesOf = (sw0: string) =>
  `Inter-|   Receive\n face |bytes packets\n    lo: 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9\n   sw0: ${sw0}\n  sw01: 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5\n`;

/** A machine whose files say what they are made to. */
function createMachine() {
  const files: Record<string, string> = {};
  const machine = { files, nowMs: 1000, health: createHealth({ interfaceName: "sw0", read, steadyMs }) };
  function steadyMs() {
    return machine.nowMs;
  }
  async function read(path: string): Promise<string> {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error("none"), { code: "ENOENT" });
    return text;
  }
  function set(stat: string, devices: string): void {
    Object.assign(files, { "/proc/stat": stat, "/proc/meminfo": MEMINFO, "/proc/self/net/dev": devices });
  }
  return Object.assign(machine, { set });
}

test("shares are of what went by since the frame before, rates by a clock that nobody sets", async () => {
  const machine = createMachine();
  machine.set(statOf(100, 900), devicesOf("1000 1 1 2 0 0 0 0 500 1 3 4 0 0 0 0"));
  const first = { processor: 0, memory: 0.75, receivedBitsPerSecond: 0, sentBitsPerSecond: 0, troubles: 0 };
  expect(await machine.health.next()).toEqual(first);
  machine.set(statOf(130, 960, 10), devicesOf("6000 1 2 4 0 0 0 0 3000 1 3 9 0 0 0 0"));
  machine.nowMs += 5000;
  expect(await machine.health.next()).toEqual({
    processor: 0.3,
    memory: 0.75,
    receivedBitsPerSecond: 8000,
    sentBitsPerSecond: 4000,
    troubles: 8,
  });
});

test("an interface that is made anew or gone has no negative traffic", async () => {
  const machine = createMachine();
  for (const devices of [devicesOf("9000 0 9 9 0 0 0 0 9000 0 9 9 0 0 0 0"), devicesOf("10"), "", "sw0"]) {
    machine.set(statOf(1, 1), devices);
    const { receivedBitsPerSecond, sentBitsPerSecond, troubles } = await machine.health.next();
    expect([receivedBitsPerSecond, sentBitsPerSecond, troubles]).toEqual([0, 0, 0]);
    machine.nowMs += 5000;
  }
});

test("a machine that tells nothing, or nonsense, is idle; no figure is one that cannot be", async () => {
  const idle = { processor: 0, memory: 0, receivedBitsPerSecond: 0, sentBitsPerSecond: 0, troubles: 0 };
  expect(await createMachine().health.next()).toEqual(idle);
  const property = fc.asyncProperty(
    fc.array(fc.tuple(fc.string(), fc.string(), fc.nat(9000))),
    async (rounds) => {
      const machine = createMachine();
      for (const [stat, device, passedMs] of rounds) {
        machine.set(`cpu  ${stat}`, devicesOf(device));
        machine.nowMs += passedMs;
        for (const figure of Object.values(await machine.health.next())) {
          expect(Number.isFinite(figure) && figure >= 0).toBe(true);
        }
      }
    },
  );
  await fc.assert(property);
});

test.runIf(process.platform === "linux")("this machine's own figures are read", async () => {
  const health = createHealth({ interfaceName: "lo" });
  await health.next();
  const { memory, processor } = await health.next();
  expect(memory).toBeGreaterThan(0);
  expect(memory).toBeLessThan(1);
  expect(processor).toBeLessThanOrEqual(1);
});
