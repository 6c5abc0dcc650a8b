import { spawnSync } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDir } from "@securewave/testing";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { createRatchet, openRatchet, type Ratchet } from "./ratchet.ts";

const VICTIM = fileURLToPath(new URL("./testing-process.ts", import.meta.url));
/** Of one replacement of a file. */
const STEPS = 4;

const dir = temporaryDir("ratchet");
let files = 0;
let path: string;

beforeEach(() => {
  path = join(dir.path, `${++files}`, "never-in-backups", "ledger.key");
});
afterAll(() => dir.remove());

async function reopen(from = path): Promise<Ratchet> {
  const opening = await openRatchet(from);
  if (opening.state !== "open") throw new TypeError(`the file is ${opening.state}`);
  return opening.ratchet;
}

describe("a ratchet", () => {
  test("moves on to keys that it knows ahead, and knows none behind", async () => {
    const ratchet = await createRatchet(path, 4);
    const [now, later] = [ratchet.keyOf(4), ratchet.keyOf(7)];
    expect(ratchet.keyOf(3)).toBeUndefined();
    expect(await ratchet.settleAt(7)).toBe(true);
    expect(ratchet.keyOf(7)).toEqual(later);
    expect(ratchet.keyOf(4)).toBeUndefined();
    expect(later).not.toEqual(now);
    expect(await ratchet.settleAt(4)).toBe(false);
    expect((await reopen()).generations()).toEqual([7]);
  });

  test("has both keys during a change, on the disk too, and one after it", async () => {
    const ratchet = await createRatchet(path, 0);
    const before = ratchet.keyOf(0);
    expect(await ratchet.begin()).toBe(1);
    expect((await reopen()).generations()).toEqual([0, 1]);
    expect((await reopen()).keyOf(0)).toEqual(before);
    await ratchet.settleAt(1);
    expect((await reopen()).generations()).toEqual([1]);
  });

  test("rolls a change back to where it was", async () => {
    const ratchet = await createRatchet(path, 0);
    const [before, after] = [ratchet.keyOf(0), ratchet.keyOf(1)];
    await ratchet.begin();
    await ratchet.settleAt(0);
    expect((await reopen()).generations()).toEqual([0]);
    expect((await reopen()).keyOf(0)).toEqual(before);
    await ratchet.begin();
    expect(ratchet.keyOf(1)).toEqual(after);
  });

  test("reaches the same key by single days and at one go", async () => {
    const ratchet = await createRatchet(path, 0);
    await copyFile(path, `${path}.copy`);
    for (let day = 0; day < 3; day++) await ratchet.settleAt(await ratchet.begin());
    const copy = await reopen(`${path}.copy`);
    await copy.settleAt(3);
    expect(await readFile(`${path}.copy`)).toEqual(await readFile(path));
  });

  test("gives away no key that leads on: what is used is not what moves", async () => {
    const ratchet = await createRatchet(path, 0);
    const used = ratchet.keyOf(0);
    expect(used && (await readFile(path)).includes(used)).toBe(false);
  });

  test("is not asked for centuries, nor for a beginning within a change", async () => {
    const ratchet = await createRatchet(path, 0);
    expect(ratchet.keyOf(1_000_000)).toBeUndefined();
    expect(await ratchet.settleAt(1_000_000)).toBe(false);
    await ratchet.begin();
    await expect(ratchet.begin()).rejects.toThrow(/one change/);
  });

  test("a missing, a damaged and a foreign file are told apart from one another", async () => {
    expect(await openRatchet(path)).toEqual({ state: "missing" });
    await createRatchet(path, 3);
    const bytes = await readFile(path);
    for (let at = 0; at < bytes.length; at++) {
      const wrong = Buffer.from(bytes);
      wrong[at] = (wrong[at] ?? 0) ^ 1;
      await writeFile(path, wrong);
      expect((await openRatchet(path)).state).toBe("unreadable");
      await writeFile(path, bytes.subarray(0, at));
      expect((await openRatchet(path)).state).toBe("unreadable");
    }
    await expect(openRatchet(dir.path)).resolves.toEqual({ state: "unreadable", cause: "EISDIR" });
  });

  test("its file is its owner's alone, in a folder that backups leave out and that says why", async () => {
    await createRatchet(path, 0);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
    const names = await readdir(dirname(path));
    expect(names.sort()).toEqual(["CACHEDIR.TAG", "README.txt", "ledger.key"]);
    const tag = await readFile(join(dirname(path), "CACHEDIR.TAG"), "latin1");
    expect(tag).toMatch(/^Signature: 8a477f597d28d172789f06886806bc55\n/);
    expect(await readFile(join(dirname(path), "README.txt"), "utf8")).toContain(
      "No backup may read this folder",
    );
  });

  test("a folder that was there stays in backups: it may hold other things", async () => {
    await mkdir(dirname(path), { recursive: true });
    await createRatchet(path, 0);
    expect(await readdir(dirname(path))).toEqual(["ledger.key"]);
  });

  test("that cannot be written says so and holds what it held", async () => {
    const ratchet = await createRatchet(path, 0);
    const before = ratchet.keyOf(0);
    await mkdir(`${path}.new`); // where the new file would be written
    await expect(ratchet.begin()).rejects.toMatchObject({ code: "forgetting.not_written" });
    expect(ratchet.generations()).toEqual([0]);
    expect(ratchet.keyOf(0)).toEqual(before);
  });

  test("the bytes of the former file are overwritten where they stood", async () => {
    const ratchet = await createRatchet(path, 0);
    const { link } = await import("node:fs/promises");
    await link(path, `${path}.seen`); // another name of the same place on the disk
    await ratchet.settleAt(1);
    expect((await readFile(`${path}.seen`)).every((byte) => byte === 0)).toBe(true);
  });
});

describe("killed at any step of a change of generation", () => {
  test.each(Array.from({ length: 3 * STEPS + 1 }, (_, survived) => survived))(
    "a ratchet that survived %i steps opens the table with exactly one key",
    async (survived) => {
      await mkdir(dirname(path), { recursive: true });
      const isFirst = survived <= STEPS; // these are killed while the key is drawn
      await writeFile(`${path}.table`, "0");
      let keys: (Buffer | undefined)[] = [];
      if (!isFirst) {
        const ratchet = await createRatchet(path, 0);
        keys = [ratchet.keyOf(0), ratchet.keyOf(1)];
      }
      const child = spawnSync(process.execPath, [
        VICTIM,
        "ratchet",
        path,
        String(isFirst ? survived : survived - STEPS - 1),
      ]);
      expect(child.signal ?? child.stderr.toString()).toBe(survived === 3 * STEPS + 1 ? "" : "SIGKILL");

      const opening = await openRatchet(path);
      const table = Number(await readFile(`${path}.table`, "utf8"));
      if (opening.state === "missing") {
        expect(isFirst && table === 0).toBe(true); // nothing was sealed yet
        return;
      }
      if (opening.state !== "open") throw new TypeError(`the file is ${opening.state}`);
      const { ratchet } = opening;
      expect(await ratchet.settleAt(table)).toBe(true);
      expect((await reopen()).generations()).toEqual([table]);
      if (!isFirst) expect(ratchet.keyOf(table)).toEqual(keys[table]);
      for (let earlier = 0; earlier < table; earlier++) expect(ratchet.keyOf(earlier)).toBeUndefined();
      expect((await readdir(dirname(path))).filter((name) => name.endsWith(".new"))).toEqual([]);
    },
  );
});
