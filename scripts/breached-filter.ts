/**
 * `scripts/breached-filter.ts [--at-least N] OUTPUT LIST…` makes the file that BREACHED_PASSWORDS_FILE names.
 *
 * A list is a text of passwords, one a line; a text of SHA-1 hashes with counts, `HASH:COUNT`, as Have I Been
 * Pwned offers it for download (with --at-least, those seen that often alone); or a JSON array of passwords.
 * Needs 8 bytes of memory for each entry while it works, and makes 4 bytes of file of it.
 */
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { encodeHashList, keyOf, keyOfHash } from "@securewave/weak-passwords/hash-list";

const HASH_LINE = /^([0-9A-F]{40})(?::(\d+))?$/i;

/** Reads lists and makes the file's bytes. */
export async function buildHashList(paths: readonly string[], countMin = 0): Promise<Buffer> {
  const keys = createKeys();
  for (const path of paths) {
    if (path.endsWith(".json")) {
      for (const password of passwordsIn(path)) keys.add(keyOf(password));
      continue;
    }
    for await (const line of createInterface({ input: createReadStream(path) })) {
      const [, hash, count] = HASH_LINE.exec(line) ?? [];
      if (hash === undefined) keys.add(keyOf(line));
      else if (Number(count ?? countMin) >= countMin) keys.add(keyOfHash(hash));
    }
  }
  return encodeHashList(keys.all());
}

function passwordsIn(path: string): string[] {
  const content: unknown = JSON.parse(readFileSync(path, "utf8"));
  if (!Array.isArray(content)) throw new Error(`${path} is no JSON array of passwords`);
  return content.map(String);
}

/** Grows by doubling: an array of boxed numbers would take several times the memory. */
function createKeys() {
  let keys = new Float64Array(1 << 16);
  let count = 0;
  return {
    add(key: number): void {
      if (count === keys.length) {
        const larger = new Float64Array(count * 2);
        larger.set(keys);
        keys = larger;
      }
      keys[count++] = key;
    },
    all: () => keys.subarray(0, count),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    options: { "at-least": { type: "string", default: "0" } },
    allowPositionals: true,
  });
  const [output, ...lists] = positionals;
  if (output === undefined || lists.length === 0) {
    console.error("Usage: breached-filter.ts [--at-least N] OUTPUT LIST…");
    process.exitCode = 2;
  } else {
    const bytes = await buildHashList(lists, Number(values["at-least"]));
    writeFileSync(output, bytes);
    console.log(`${output}: ${bytes.length} bytes`);
  }
}
