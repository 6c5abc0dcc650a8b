import { hash } from "node:crypto";

/**
 * The Merkle tree of RFC 6962 §2.1: a list whose every state is told by one hash, and of which it can be shown that
 * an entry stands in it, and that a later state continues an earlier one.
 */
export const HASH_BYTES = 32;

/** What stands before a leaf's content and before a pair of nodes, so that neither can be taken for the other. */
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The hash of a leaf's content. */
export function hashLeaf(content: Uint8Array): Buffer {
  return sha256(Buffer.concat([LEAF, content]));
}

function hashNode(left: Uint8Array, right: Uint8Array): Buffer {
  return sha256(Buffer.concat([NODE, left, right]));
}

/** By way of a text, which Node makes twice as fast as bytes. */
export function sha256(bytes: Uint8Array): Buffer {
  return Buffer.from(hash("sha256", bytes, "binary"), "binary");
}

/** The hash of the empty tree. */
export const EMPTY_ROOT = sha256(new Uint8Array());

/**
 * The roots of the perfect trees that a tree consists of, largest first, one for each bit of its size: all that is
 * needed to append and to tell the root.
 */
export interface Frontier {
  readonly size: number;
  readonly hashes: readonly Buffer[];
}

export const EMPTY_FRONTIER: Frontier = { size: 0, hashes: [] };

export function append({ size, hashes }: Frontier, leaf: Buffer): Frontier {
  const kept = [...hashes];
  let joined = leaf;
  // Each trailing 1 of the size is a perfect tree as large as the one that has come together on its right.
  for (let bits = size; bits % 2 === 1; bits = (bits - 1) / 2)
    joined = hashNode(kept.pop() as Buffer, joined);
  return { size: size + 1, hashes: [...kept, joined] };
}

export function rootOf({ hashes }: Frontier): Buffer {
  let root = hashes.at(-1);
  for (const left of hashes.slice(0, -1).reverse()) root = hashNode(left, root as Buffer);
  return root ?? EMPTY_ROOT;
}

/** Whether there are as many hashes, of the right length, as a tree of this size has perfect trees. */
export function isFrontier({ size, hashes }: Frontier): boolean {
  const ones = [...size.toString(2)].filter((bit) => bit === "1").length;
  return hashes.length === ones && hashes.every(({ length }) => length === HASH_BYTES);
}

/** Some leaves next to each other: from the one at `start` to before the one at `end`. */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/** Of which leaves a proof of inclusion tells the roots, from the leaf up. @see RFC 6962 §2.1.1 */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  const path = (start: number, end: number): LeafRange[] => {
    if (end - start <= 1) return [];
    const split = start + splitOf(end - start);
    return index < split
      ? [...path(start, split), { start: split, end }]
      : [...path(split, end), { start, end: split }];
  };
  return path(0, size);
}

/** Of which leaves a proof tells the roots that a tree of `size` continues one of `before`. @see RFC 6962 §2.1.2 */
export function consistencyRanges(before: number, size: number): LeafRange[] {
  const path = (start: number, end: number, isWhole: boolean): LeafRange[] => {
    if (before === end) return isWhole ? [] : [{ start, end }];
    const split = start + splitOf(end - start);
    return before <= split
      ? [...path(start, split, isWhole), { start: split, end }]
      : [...path(split, end, false), { start, end: split }];
  };
  return before === 0 ? [] : path(0, size, true);
}

/** Makes the roots of some ranges while leaves are read once, in order, from the first on. */
export function createRangeRoots(ranges: readonly LeafRange[]) {
  const open = ranges.map((range) => ({ ...range, frontier: EMPTY_FRONTIER }));
  let index = 0;
  return {
    add(leaf: Buffer): void {
      for (const range of open)
        if (index >= range.start && index < range.end) range.frontier = append(range.frontier, leaf);
      index++;
    },
    /** In the order of the ranges. */
    roots: (): Buffer[] => open.map(({ frontier }) => rootOf(frontier)),
  };
}

/** @see RFC 9162 §2.1.3.2, which has the algorithm that RFC 6962 leaves to the reader */
export function isIncluded(
  leaf: Buffer,
  { index, size, root }: { index: number; size: number; root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (index < 0 || index >= size) return false;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const beside of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = hashNode(beside, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else hash = hashNode(hash, beside);
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && hash.equals(root);
}

/** @see RFC 9162 §2.1.4.2 */
export function isConsistent(
  before: { size: number; root: Buffer },
  after: { size: number; root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (before.size > after.size) return false;
  if (before.size === after.size) return proof.length === 0 && before.root.equals(after.root);
  if (before.size === 0) return proof.length === 0 && before.root.equals(EMPTY_ROOT);
  return leadsToBoth(before, after, isPowerOfTwo(before.size) ? [before.root, ...proof] : proof);
}

/** Climbs from the last leaf of the earlier tree, which builds both roots on the way. */
function leadsToBoth(
  before: { size: number; root: Buffer },
  after: { size: number; root: Buffer },
  path: readonly Buffer[],
): boolean {
  let node = before.size - 1;
  let last = after.size - 1;
  while (node % 2 === 1) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let [old, young] = [first, first];
  for (const hash of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      [old, young] = [hashNode(hash, old), hashNode(hash, young)];
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else young = hashNode(young, hash);
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && old.equals(before.root) && young.equals(after.root);
}

/** The largest power of two below a size of at least 2. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

function isPowerOfTwo(size: number): boolean {
  return splitOf(size * 2) === size;
}
