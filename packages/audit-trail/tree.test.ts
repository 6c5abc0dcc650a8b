import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  append,
  consistencyRanges,
  createRangeRoots,
  EMPTY_FRONTIER,
  EMPTY_ROOT,
  type Frontier,
  hashLeaf,
  inclusionRanges,
  isConsistent,
  isFrontier,
  isIncluded,
  type LeafRange,
  rootOf,
} from "./tree.ts";

const hex = (text: string) => Buffer.from(text, "hex");
const sha256 = (...parts: Uint8Array[]) => createHash("sha256").update(Buffer.concat(parts)).digest();

/** RFC 6962 §2.1 word for word: MTH of a list of contents. */
function naiveRoot(contents: readonly Buffer[]): Buffer {
  const [first] = contents;
  if (first === undefined) return sha256();
  if (contents.length === 1) return sha256(hex("00"), first);
  let k = 1;
  while (k * 2 < contents.length) k *= 2;
  return sha256(hex("01"), naiveRoot(contents.slice(0, k)), naiveRoot(contents.slice(k)));
}

const frontierOf = (contents: readonly Buffer[]) =>
  contents.map(hashLeaf).reduce<Frontier>(append, EMPTY_FRONTIER);

function prove(contents: readonly Buffer[], ranges: readonly LeafRange[]): Buffer[] {
  const roots = createRangeRoots(ranges);
  for (const content of contents) roots.add(hashLeaf(content));
  return roots.roots();
}
const proveInclusion = (contents: readonly Buffer[], index: number) =>
  prove(contents, inclusionRanges(index, contents.length));
const proveConsistency = (contents: readonly Buffer[], before: number) =>
  prove(contents, consistencyRanges(before, contents.length));

/**
 * Contents, roots and proofs of the reference implementations' tests: certificate-transparency MerkleTreeTest.cc and
 * transparency-dev/merkle testonly/reference_test.go.
 */
const CONTENTS = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
].map(hex);
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
].map(hex);
const NODES = {
  leaf0: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  leaf1: "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
  leaf4: "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
  leaves0To1: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  leaves2To3: "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
  leaves4To5: "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
  leaves6To7: "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
  leaves0To3: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  leaves4To7: "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
};

describe("against the reference implementations of RFC 6962", () => {
  test("a tree has their roots", () => {
    for (const [size, root] of ROOTS.entries())
      expect(rootOf(frontierOf(CONTENTS.slice(0, size)))).toEqual(root);
  });

  test.each([
    [0, 1, []],
    [0, 2, [NODES.leaf1]],
    [1, 2, [NODES.leaf0]],
    [2, 3, [NODES.leaves0To1]],
    [1, 5, [NODES.leaf0, NODES.leaves2To3, NODES.leaf4]],
    [0, 8, [NODES.leaf1, NODES.leaves2To3, NODES.leaves4To7]],
    [5, 8, [NODES.leaf4, NODES.leaves6To7, NODES.leaves0To3]],
  ])("leaf %d of %d has their proof of inclusion", (index, size, proof) => {
    expect(proveInclusion(CONTENTS.slice(0, size), index)).toEqual(proof.map(hex));
    const root = ROOTS[size] as Buffer;
    expect(isIncluded(hashLeaf(CONTENTS[index] as Buffer), { index, size, root }, proof.map(hex))).toBe(true);
  });

  test.each([
    [1, 1, []],
    [1, 8, [NODES.leaf1, NODES.leaves2To3, NODES.leaves4To7]],
    [2, 5, [NODES.leaves2To3, NODES.leaf4]],
    [6, 8, [NODES.leaves4To5, NODES.leaves6To7, NODES.leaves0To3]],
  ])("sizes %d and %d have their proof of consistency", (before, size, proof) => {
    expect(proveConsistency(CONTENTS.slice(0, size), before)).toEqual(proof.map(hex));
    const [old, young] = [ROOTS[before] as Buffer, ROOTS[size] as Buffer];
    expect(isConsistent({ size: before, root: old }, { size, root: young }, proof.map(hex))).toBe(true);
  });
});

const contents = fc.uniqueArray(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  { minLength: 1, maxLength: 70, selector: (bytes) => bytes.toString("hex") },
);
const other = hashLeaf(Buffer.from("something else"));

describe("for any contents", () => {
  test("leaf by leaf comes to the root that the RFC defines", () => {
    fc.assert(
      fc.property(contents, (list) => {
        const frontier = frontierOf(list);
        expect(rootOf(frontier)).toEqual(naiveRoot(list));
        expect(isFrontier(frontier)).toBe(true);
        expect(isFrontier({ ...frontier, size: frontier.size * 2 + 1 })).toBe(false);
      }),
    );
    expect(rootOf(EMPTY_FRONTIER)).toEqual(naiveRoot([]));
  });

  test("a leaf is proved to stand where it stands, and nowhere else, and no other in its place", () => {
    fc.assert(
      fc.property(contents, fc.nat(), fc.nat(), (list, at, elsewhere) => {
        const size = list.length;
        const [index, wrong] = [at % size, elsewhere % size];
        const proof = proveInclusion(list, index);
        const state = { index, size, root: naiveRoot(list) };
        const leaf = hashLeaf(list[index] as Buffer);
        expect(isIncluded(leaf, state, proof)).toBe(true);
        expect(isIncluded(other, state, proof)).toBe(false);
        expect(isIncluded(leaf, { ...state, root: other }, proof)).toBe(false);
        expect(isIncluded(leaf, { ...state, index: size }, proof)).toBe(false);
        expect(isIncluded(leaf, state, [...proof, other])).toBe(false);
        if (wrong !== index) expect(isIncluded(leaf, { ...state, index: wrong }, proof)).toBe(false);
        if (proof.length > 0) expect(isIncluded(leaf, state, proof.slice(1))).toBe(false);
        if (proof.length > 0) expect(isIncluded(leaf, state, proof.with(0, other))).toBe(false);
      }),
    );
  });

  test("a state is proved to continue each earlier one, and no other", () => {
    fc.assert(
      fc.property(contents, fc.nat(), (list, at) => {
        const size = list.length;
        const earlier = at % (size + 1);
        const proof = proveConsistency(list, earlier);
        const before = { size: earlier, root: naiveRoot(list.slice(0, earlier)) };
        const after = { size, root: naiveRoot(list) };
        expect(isConsistent(before, after, proof)).toBe(true);
        expect(isConsistent({ ...before, root: other }, after, proof)).toBe(false);
        if (earlier > 0) expect(isConsistent(before, { ...after, root: other }, proof)).toBe(false);
        expect(isConsistent(before, after, [...proof, other])).toBe(false);
        expect(isConsistent({ ...before, size: size + 1 }, after, proof)).toBe(false);
        if (proof.length > 0) expect(isConsistent(before, after, proof.with(0, other))).toBe(false);
      }),
    );
    expect(isConsistent({ size: 0, root: EMPTY_ROOT }, { size: 0, root: EMPTY_ROOT }, [])).toBe(true);
  });

  test("a proof has no more hashes than the tree has levels", () => {
    for (const size of [1, 2, 3, 1000, 2 ** 20, 2 ** 40 + 1]) {
      expect(inclusionRanges(0, size).length).toBe(Math.ceil(Math.log2(size)));
      expect(consistencyRanges(Math.ceil(size / 3), size).length).toBeLessThanOrEqual(
        Math.ceil(Math.log2(size)) + 1,
      );
    }
  });
});
