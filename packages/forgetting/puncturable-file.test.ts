import { spawnSync } from "node:child_process";
import { copyFile, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDir } from "@securewave/testing";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { openPuncturableFile } from "./puncturable-file.ts";

const VICTIM = fileURLToPath(new URL("./testing-process.ts", import.meta.url));

const dir = temporaryDir("puncturable");
let files = 0;
let path: string;
let copy: string;

beforeEach(() => {
  path = join(dir.path, `${++files}`, "data.key");
  copy = join(dir.path, `${files}-copy`, "data.key");
});
afterAll(() => dir.remove());

describe("the file of a puncturable key", () => {
  test("keeps its keys, and forgets those that are erased, for good", async () => {
    const file = await openPuncturableFile({ paths: [path], create: true });
    expect(file.isNew).toBe(true);
    const [kept, erased] = [file.keyOf(1), file.keyOf(2)];
    expect(erased).toBeDefined();
    expect(await file.erase([2])).toEqual({ current: [path], behind: [] });
    expect(file.keyOf(2)).toBeUndefined();
    const again = await openPuncturableFile({ paths: [path], create: true });
    expect(again.isNew).toBe(false);
    expect(again.isErased(2)).toBe(true);
    expect(again.keyOf(1)).toEqual(kept);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test("that is missing is a new key only for who wants one", async () => {
    await expect(openPuncturableFile({ paths: [path], create: false })).rejects.toMatchObject({
      code: "forgetting.key_missing",
    });
    await openPuncturableFile({ paths: [path], create: true });
    await writeFile(path, "nonsense");
    await expect(openPuncturableFile({ paths: [path], create: true })).rejects.toMatchObject({
      code: "forgetting.key_unreadable",
    });
    expect(await readFile(path, "utf8")).toBe("nonsense");
  });

  test("comes back from a copy when it is lost or damaged", async () => {
    const file = await openPuncturableFile({ paths: [path, copy], create: true });
    await file.erase([7]);
    const key = file.keyOf(1);
    for (const spoil of [() => rm(path), () => writeFile(path, "nonsense")]) {
      await spoil();
      const again = await openPuncturableFile({ paths: [path, copy], create: false });
      expect(again.keyOf(1)).toEqual(key);
      expect(again.isErased(7)).toBe(true);
      expect(await readFile(path)).toEqual(await readFile(copy));
    }
  });

  test("is united with copies that are older or that erased something else", async () => {
    const file = await openPuncturableFile({ paths: [path], create: true });
    await mkdir(join(dir.path, `${files}-copy`));
    await copyFile(path, copy);
    const other = await openPuncturableFile({ paths: [copy], create: false });
    await file.erase([1]);
    await other.erase([2]);
    const united = await openPuncturableFile({ paths: [path, copy], create: false });
    expect([1, 2, 3].map((index) => united.isErased(index))).toEqual([true, true, false]);
    expect(await readFile(path)).toEqual(await readFile(copy));
    expect((await openPuncturableFile({ paths: [path], create: false })).isErased(2)).toBe(true);
  });

  test("of another tree is no copy, and neither file is touched", async () => {
    await openPuncturableFile({ paths: [path], create: true });
    await openPuncturableFile({ paths: [copy], create: true });
    const before = [await readFile(path), await readFile(copy)];
    await expect(openPuncturableFile({ paths: [path, copy], create: true })).rejects.toMatchObject({
      code: "forgetting.foreign_copy",
    });
    expect([await readFile(path), await readFile(copy)]).toEqual(before);
  });

  test("a copy that cannot be written is said to be behind, and follows when it can", async () => {
    const file = await openPuncturableFile({ paths: [path, copy], create: true });
    await mkdir(`${copy}.new`);
    expect(await file.erase([4])).toEqual({ current: [path], behind: [copy] });
    expect(file.copies().behind).toEqual([copy]);
    await rm(`${copy}.new`, { recursive: true });
    expect(await file.refresh()).toEqual({ current: [path, copy], behind: [] });
    expect(await readFile(path)).toEqual(await readFile(copy));
  });

  test("an erasure that no file takes in did not happen", async () => {
    const file = await openPuncturableFile({ paths: [path], create: true });
    await mkdir(`${path}.new`);
    await expect(file.erase([4])).rejects.toMatchObject({ code: "forgetting.not_written" });
    expect(file.isErased(4)).toBe(false);
    expect(file.copies()).toEqual({ current: [path], behind: [] });
    await rm(`${path}.new`, { recursive: true });
    await file.erase([4]);
    expect(file.isErased(4)).toBe(true);
  });

  test("another copy is written when it is asked for, and with each erasure after that", async () => {
    const file = await openPuncturableFile({ paths: [path], create: true });
    await file.addCopy(copy);
    await file.erase([9]);
    expect(await readFile(path)).toEqual(await readFile(copy));
  });

  test("erasures at the same time all happen", async () => {
    const file = await openPuncturableFile({ paths: [path, copy], create: true });
    await Promise.all([1, 2, 3, 2].map((index) => file.erase([index])));
    const again = await openPuncturableFile({ paths: [copy], create: false });
    expect([1, 2, 3, 4].map((index) => again.isErased(index))).toEqual([true, true, true, false]);
  });

  test("gives nothing once it is closed", async () => {
    const file = await openPuncturableFile({ paths: [path], create: true });
    file.close();
    expect(() => file.keyOf(1)).toThrow(/closed/);
  });
});

describe("killed at any step of an erasure", () => {
  test.each(Array.from({ length: 8 }, (_, survived) => survived))(
    "after %i steps the key is whole, and erased as soon as one file says so",
    async (survived) => {
      const file = await openPuncturableFile({ paths: [path, `${path}.copy`], create: true });
      const keys = [file.keyOf(4), file.keyOf(5)];
      const child = spawnSync(process.execPath, [VICTIM, "puncturable", path, String(survived)]);
      expect(child.signal ?? child.stderr.toString()).toBe("SIGKILL");
      const again = await openPuncturableFile({ paths: [path, `${path}.copy`], create: false });
      expect(again.keyOf(4)).toEqual(keys[0]);
      const isErased = survived >= 2; // the first file was written and renamed, or may have been
      if (survived === 2) expect([undefined, keys[1]]).toContainEqual(again.keyOf(5));
      else expect(again.keyOf(5)).toEqual(isErased ? undefined : keys[1]);
      expect(await readFile(path)).toEqual(await readFile(`${path}.copy`));
    },
  );
});
