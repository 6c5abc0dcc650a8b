import { describe, expect, test } from "vitest";
import { judge, type Match } from "./evidence.ts";
import { drawGhosts } from "./identity.ts";
import { patternsOf } from "./sought.ts";

const GIB = 2 ** 30;
const GHOSTS = 8;
const ghosts = drawGhosts(Buffer.from("seed"), ["ghost-1"]);
const patterns = ghosts.flatMap((ghost) =>
  patternsOf(ghost).map(({ kind, pattern }) => ({ form: `${kind} ${pattern.encoding}`, bits: pattern.bits })),
);
const names = Array.from({ length: GHOSTS }, (_, index) => `ghost-${index + 1}`);
const decoys = new Set(names.map((name) => name.replace("ghost", "decoy")));

function proved(matches: readonly Match[], bytes: number): Match[] {
  const bytesBySurface = new Map([["disk", bytes]]);
  return judge({ matches, decoys, ghosts: GHOSTS, patterns, bytesBySurface }).proved;
}
const match = (ghost: string, bits: number, offset: number, form = "ipv4 4 bytes"): Match => ({
  surface: "disk",
  source: "file",
  offset,
  ghost,
  form,
  bits,
});

/** A generator with a seed, so that the test is the same each time. */
function createChance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("chance alone", () => {
  test("does not raise an alarm in 60 searches of 8 GiB of random bytes", () => {
    const chance = createChance(1);
    const bytes = 8 * GIB;
    for (let run = 0; run < 60; run++) {
      const matches = [...names, ...decoys].flatMap((name) =>
        patterns
          .filter(({ bits }) => bits < 56)
          .flatMap(({ form, bits }) => {
            const expected = Math.min(40, bytes * 2 ** -bits);
            const count = Math.floor(expected) + (chance() < expected % 1 ? 1 : 0);
            return Array.from({ length: count }, () => match(name, bits, Math.floor(chance() * bytes), form));
          }),
      );
      expect(proved(matches, bytes)).toEqual([]);
    }
  });

  test("does not raise one either where those who never were anywhere are found as often", () => {
    const list = [...names, ...decoys].map((name, index) => match(name, 32, 100 * index));
    expect(proved(list, GIB)).toEqual([]);
  });
});

describe("a leak is proved", () => {
  test("by one address as text", () => {
    expect(proved([match("ghost-1", 60.5, 5)], GIB)).toHaveLength(1);
  });

  test("by four bytes each, where those of all ghosts lie near each other, in 100 GiB", () => {
    const rows = names.map((name, index) => match(name, 32, 6_000_000 + 800 * index));
    expect(proved(rows, 100 * GIB)).toHaveLength(GHOSTS);
  });

  test("by four bytes each, where a surface of 50 MiB has those of all ghosts, in files of their own", () => {
    const files = names.map((name) => ({ ...match(name, 32, 5), source: `session of ${name}` }));
    expect(proved(files, 50 * 2 ** 20)).toHaveLength(GHOSTS);
  });
});

test("four bytes of one ghost are no proof", () => {
  expect(proved([match("ghost-1", 32, 5), match("ghost-1", 32, 90)], GIB)).toEqual([]);
});
