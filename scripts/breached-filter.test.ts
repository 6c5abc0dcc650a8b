import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDir } from "@securewave/testing/temporary";
import { openHashList } from "@securewave/weak-passwords/hash-list";
import { afterAll, expect, test } from "vitest";
import { buildHashList } from "./breached-filter.ts";

const dir = temporaryDir("breached-filter");
afterAll(() => dir.remove());
const sha1 = (text: string) => createHash("sha1").update(text).digest("hex").toUpperCase();

function write(name: string, content: string): string {
  const path = join(dir.path, name);
  writeFileSync(path, content);
  return path;
}

test("hashes with counts, plain lines and JSON make one list; what was seen too seldom is left out", async () => {
  const hashes = write(
    "pwned.txt",
    `${sha1("often")}:900\r\n${sha1("seldom")}:2\r\n${sha1("uncounted")}\r\n`,
  );
  const plain = write("plain.txt", "one line\nanother: line\n");
  const json = write("list.json", '["from json"]');
  const output = join(dir.path, "output");
  writeFileSync(output, await buildHashList([hashes, plain, json], 10));
  const list = openHashList(output);
  const wanted = ["often", "uncounted", "one line", "another: line", "from json"];
  expect(list.size).toBe(wanted.length);
  expect(wanted.filter((text) => !list.has(text))).toEqual([]);
  expect(list.has("seldom")).toBe(false);
  list.close();
});
