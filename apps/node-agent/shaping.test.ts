import { expect, test } from "vitest";
import type { ProgramResult } from "./run-program.ts";
import { createShaper, type Limit } from "./shaping.ts";

const DONE: ProgramResult = { code: 0, stdout: "", stderr: "" };
/** Some tens of milliseconds a command, which no kernel was seen to take, would still fit in a program's 30 s. */
const COMMANDS_MAX = 1000;

/** A shaper that writes down what `tc` is told at once, each as a list of commands. */
function openScene(answer: (batch: string[], number: number) => ProgramResult = () => DONE) {
  const batches: string[][] = [];
  const shaper = createShaper({
    interfaceName: "sw0",
    run: async (program, _args, { input } = {}) => {
      if (program === "ip") return { ...DONE, stdout: JSON.stringify([{ ifindex: 7 }]) };
      if (input === undefined) return DONE;
      const batch = input.trim().split("\n");
      batches.push(batch);
      return answer(batch, batches.length);
    },
  });
  return { shaper, batches };
}

function limits(count: number): Map<string, Limit> {
  const entries = Array.from({ length: count }, (_, number): [string, Limit] => {
    const addresses = [`10.8.${number >> 8}.${number & 255}`, `fd00::${number.toString(16)}`];
    return [`key ${number}`, { addresses, kbitPerSecond: 1000 }];
  });
  return new Map(entries);
}

test("thousands of limits are told in pieces, so that none comes near the time that a program has", async () => {
  const { shaper, batches } = openScene();
  await shaper.apply(limits(4000));
  expect(Math.max(...batches.map(({ length }) => length))).toBe(COMMANDS_MAX);
  const commands = batches.flat();
  expect(commands.filter((command) => command.startsWith("class add"))).toHaveLength(2 * 4000);
  // A filter leads to a class that is there, whichever piece it was in.
  const lastClass = commands.findLastIndex((command) => command.startsWith("class add"));
  expect(commands.findIndex((command) => command.includes("flowid"))).toBeGreaterThan(lastClass);
});

test("a piece that the kernel refuses ends it, and the next attempt begins from nothing", async () => {
  let isRefusing = true;
  const { shaper, batches } = openScene((_, number) =>
    isRefusing && number === 5 ? { code: 1, stdout: "", stderr: "Command failed -:2\n" } : DONE,
  );
  await expect(shaper.apply(limits(4000))).rejects.toThrow(/the kernel refused “qdisc add”/);
  expect(batches).toHaveLength(5);
  isRefusing = false;
  batches.length = 0;
  await shaper.apply(limits(4000));
  const added = batches.flat().filter((command) => command.startsWith("class add"));
  expect(added).toHaveLength(2 * 4000);
});
