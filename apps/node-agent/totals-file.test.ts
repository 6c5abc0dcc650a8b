import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDir } from "@securewave/testing/temporary";
import { afterAll, expect, test } from "vitest";
import { peerSpec } from "./testing-plane.ts";
import { createTotals } from "./totals.ts";
import { createTotalsFile, isOnMemoryDisk } from "./totals-file.ts";

const dir = temporaryDir("totals");
afterAll(() => dir.remove());
let count = 0;

function totalsOf(numbers: readonly number[]) {
  const totals = createTotals(undefined);
  totals.interfaceMade();
  const keys = numbers.map((number) => peerSpec(number).public_key);
  totals.follow(keys);
  totals.roster();
  totals.freeze(1);
  const saved = totals.save();
  if (!saved) throw new Error("totals that began with their interface can be saved");
  return saved;
}

function open(change: { nodeId?: string; bootId?: string; path?: string } = {}) {
  const path = change.path ?? join(dir.path, `${++count}.totals`);
  return { path, ...createTotalsFile({ path, nodeId: "node_a", bootId: "boot-1", ...change }) };
}

test("what was counted is read as it was written, by its owner alone", async () => {
  const file = open();
  const saved = totalsOf([1, 2, 3]);
  saved.columns.received.set([1, 2 ** 52, 3]);
  saved.columns.rawSent.set([7, 8, 9]);
  expect(await file.write(saved)).toBe(true);
  expect(statSync(file.path).mode & 0o777).toBe(0o600);
  expect(await file.read()).toEqual(saved);
});

test("a file that is damaged in any byte, of another node or of an earlier start of the machine is not trusted and taken away", async () => {
  const file = open();
  await file.write(totalsOf([1, 2]));
  const good = readFileSync(file.path);
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good);
    bad[at] = (bad[at] ?? 0) ^ 1;
    writeFileSync(file.path, bad);
    expect(await file.read()).toBeUndefined();
    expect(existsSync(file.path)).toBe(false);
  }
  for (const change of [{ nodeId: "node_b" }, { bootId: "boot-2" }]) {
    const other = open(change);
    writeFileSync(other.path, good);
    expect(await other.read()).toBeUndefined();
  }
  writeFileSync(file.path, good.subarray(0, good.length / 2));
  expect(await file.read()).toBeUndefined();
});

test("a file that cannot be written is taken away: it would say less than was told", async () => {
  const file = open();
  await file.write(totalsOf([1]));
  const elsewhere = open({ path: join(dir.path, "missing", "x.totals") });
  expect(await elsewhere.write(totalsOf([1]))).toBe(false);
  expect(await elsewhere.read()).toBeUndefined();
  copyFileSync(file.path, `${file.path}.kept`);
  await file.remove();
  expect(existsSync(file.path)).toBe(false);
});

test("only a memory disk counts as one", async () => {
  expect(await isOnMemoryDisk("/dev/shm/x")).toBe(true);
  expect(await isOnMemoryDisk("/proc/x")).toBe(false);
  expect(await isOnMemoryDisk("/nowhere/at/all")).toBe(false);
});
