import { expect, test } from "vitest";
import type { ProgramResult } from "./run-program.ts";
import { createShaper, type Limit } from "./shaping.ts";

const DONE: ProgramResult = { code: 0, stdout: "", stderr: "" };
/** Some tens of milliseconds a command, which no kernel was seen to take, would still fit in a program's 30 s. */
const COMMANDS_MAX = 1000;

interface Batch {
  readonly program: string;
  readonly commands: readonly string[];
}

/** A shaper that writes down what programs are told at once, each as a list of commands. */
function openScene(answer: (batch: Batch, number: number) => ProgramResult = () => DONE) {
  const batches: Batch[] = [];
  const life = { index: 7 };
  const shaper = createShaper({
    interfaceName: "sw0",
    run: async (program, _args, { input } = {}) => {
      if (program === "ip" && input === undefined)
        return { ...DONE, stdout: JSON.stringify([{ ifindex: life.index }]) };
      const batch = { program, commands: input?.trim().split("\n") ?? [] };
      batches.push(batch);
      return answer(batch, batches.length);
    },
  });
  const told = (program: string) =>
    batches.filter((batch) => batch.program === program).flatMap(({ commands }) => commands);
  return { shaper, batches, told, life };
}

function limitOf(number: number, kbitPerSecond = 1000): Limit {
  return {
    addresses: [`10.8.${number >> 8}.${number & 255}`, `fd00::${number.toString(16)}`],
    kbitPerSecond,
  };
}

function limits(count: number): Map<string, Limit> {
  return new Map(Array.from({ length: count }, (_, number) => [`key ${number}`, limitOf(number)]));
}

function starting(commands: readonly string[], start: string): number {
  return commands.filter((command) => command.startsWith(start)).length;
}

/** Addresses in the map as a reader of the transactions finds them. */
function mapped(commands: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (const command of commands) {
    const elements = /^(add|delete) element .* \{ (.*) \}$/.exec(command);
    for (const element of elements?.[2]?.split(", ") ?? []) {
      const [address = "", id = ""] = element.split(" : ");
      if (elements?.[1] === "add") {
        expect(map.has(address)).toBe(false);
        map.set(address, id);
      } else {
        expect(map.delete(address)).toBe(true);
      }
    }
  }
  return map;
}

test("thousands of limits are told in pieces, so that none comes near the time that a program has", async () => {
  const { shaper, batches, told } = openScene();
  await shaper.apply(limits(4000));
  expect(Math.max(...batches.map(({ commands }) => commands.length))).toBe(COMMANDS_MAX);
  expect(starting(told("tc"), "class add")).toBe(2 * 4000);
  expect(mapped(told("nft")).size).toBe(2 * 4000);
  // An address leads to a class that is there, whichever piece it was in.
  const made = new Set<string>();
  for (const command of batches.flatMap(({ commands }) => commands)) {
    const [, id] = /^class add .* classid (\S+)/.exec(command) ?? [];
    if (id) made.add(id);
    if (!command.startsWith("add element")) continue;
    for (const [, led = ""] of command.matchAll(/ : ([0-9a-f]+:[0-9a-f]+)/g)) expect(made).toContain(led);
  }
});

test("no queue holds more classes than the kernel walks in a moment", async () => {
  const { shaper, told } = openScene();
  await shaper.apply(limits(4000));
  const counts = new Map<string, number>();
  for (const command of told("tc")) {
    const [, link] = /^class add dev (\S+)/.exec(command) ?? [];
    if (link) counts.set(link, (counts.get(link) ?? 0) + 1);
  }
  expect(counts.size).toBe(2 * 8);
  expect(Math.max(...counts.values())).toBe(512);
});

test("a change costs the same at 20 limits and at 20,000", async () => {
  const costs = [];
  for (const count of [20, 20_000]) {
    const { shaper, batches } = openScene();
    await shaper.apply(limits(count));
    batches.length = 0;
    await shaper.change(new Map([["key 7", limitOf(7, 2000)]]));
    await shaper.change(new Map([["key 7", undefined]]));
    await shaper.change(new Map([["key 7", limitOf(7)]]));
    costs.push(batches.map(({ program, commands }) => [program, commands.length]));
  }
  expect(costs[1]).toEqual(costs[0]);
});

test("an address that goes to another device is the later one's, whichever is told first", async () => {
  const { shaper, told } = openScene();
  await shaper.apply(new Map([["old", limitOf(1)]]));
  await shaper.change(new Map([["new", limitOf(1)]]));
  const given = mapped(told("nft")).get("10.8.0.1");
  await shaper.change(new Map([["old", undefined]]));
  expect(mapped(told("nft")).get("10.8.0.1")).toBe(given);
  await shaper.change(
    new Map([
      ["new", undefined],
      ["newest", limitOf(1)],
    ]),
  );
  expect(mapped(told("nft")).size).toBe(2);
});

test("a piece that the kernel refuses ends it, and the next call begins from nothing with all that is wanted", async () => {
  let isRefusing = true;
  const { shaper, batches, told } = openScene(({ program }) =>
    isRefusing && program === "tc" ? { code: 1, stdout: "", stderr: "Command failed -:2\n" } : DONE,
  );
  await expect(shaper.apply(limits(4000))).rejects.toThrow(/the kernel refused “qdisc add”/);
  expect(batches.filter(({ program }) => program === "tc")).toHaveLength(1);
  isRefusing = false;
  batches.length = 0;
  await shaper.change(new Map([["one more", limitOf(5000)]]));
  expect(starting(told("tc"), "class add")).toBe(2 * 4001);
});

test("a tunnel interface that was made anew has all limits after any change", async () => {
  const { shaper, batches, told, life } = openScene();
  await shaper.apply(limits(20));
  batches.length = 0;
  life.index = 8;
  await shaper.change(new Map([["key 3", undefined]]));
  expect(starting(told("tc"), "class add")).toBe(2 * 19);
});

test.each([
  ["ip", "ifb"],
  ["nft", "nftables cannot lead packets aside"],
])("what is missing where %s is refused is said, without an address", async (program, words) => {
  const { shaper } = openScene((batch) =>
    batch.program === program ? { code: 1, stdout: "", stderr: "10.8.0.1: no" } : DONE,
  );
  const failure = await shaper.apply(limits(2)).catch((error: Error) => error.message);
  expect(failure).toContain(words);
  expect(failure).not.toContain("10.8.");
});
