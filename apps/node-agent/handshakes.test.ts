import { createManualClock } from "@securewave/foundation";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createHandshakes } from "./handshakes.ts";
import { parsed } from "./testing-agent.ts";

const { publicKey } = parsed(1);

/** A machine whose system clock can be set, and which WireGuard stamps handshakes with. */
function createMachine() {
  const clock = createManualClock(1_700_000_000_000);
  let steadyMs = 0;
  let lastHandshakeSeconds = 0;
  let shookAtMs = 0;
  const handshakes = createHandshakes({ clock, steadyMs: () => steadyMs });
  return {
    pass(seconds: number) {
      clock.advanceSeconds(seconds);
      steadyMs += seconds * 1000;
    },
    setClock: (seconds: number) => clock.advanceSeconds(seconds),
    shake() {
      lastHandshakeSeconds = Math.floor(clock.now() / 1000);
      shookAtMs = steadyMs;
    },
    trueAge: () => (lastHandshakeSeconds === 0 ? undefined : (steadyMs - shookAtMs) / 1000),
    read() {
      const counters = { publicKey, receivedBytes: 0, sentBytes: 0, lastHandshakeSeconds, hasEndpoint: true };
      return handshakes.agesOf([counters]).get(publicKey);
    },
  };
}

test("an agent that starts goes by the system's clock", () => {
  const machine = createMachine();
  machine.shake();
  machine.pass(100);
  expect(machine.read()).toBe(100);
  machine.pass(30);
  expect(machine.read()).toBe(130);
});

test("however the system's clock is set, ages are right to the time between two readings", () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ do: "tick" as const }) },
    { weight: 1, arbitrary: fc.constant({ do: "shake" as const }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant("set" as const),
        seconds: fc.constantFrom(-20_000, -10_000, 10_000, 20_000),
      }),
    },
  );
  const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const machine = createMachine();
    machine.read();
    for (const current of steps) {
      if (current.do === "shake") machine.shake();
      if (current.do === "set") machine.setClock(current.seconds);
      if (current.do !== "tick") continue;
      machine.pass(5);
      const [age, trueAge] = [machine.read(), machine.trueAge()];
      if (trueAge === undefined) expect(age).toBeUndefined();
      else expect(Math.abs((age ?? 9999) - trueAge)).toBeLessThanOrEqual(5);
    }
  });
  fc.assert(property, { numRuns: 500 });
});
