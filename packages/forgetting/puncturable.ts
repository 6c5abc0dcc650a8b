import { hash, randomBytes } from "node:crypto";
import { invariant } from "@securewave/foundation";
import { createSeeds } from "./seeds.ts";

/** Indexes are whole numbers from 0 to 2^32 − 1. */
export const INDEX_MAX = 0xffff_ffff;

const DEPTH = 32;
const SEED_BYTES = 32;
const ID_BYTES = 16;
const MAGIC = Buffer.from("SWPK\x01");
const COUNT_AT = MAGIC.length + ID_BYTES;
const HEADER_BYTES = COUNT_AT + 4;
/** Depth (1), prefix (4, big endian), seed. */
const NODE_BYTES = 1 + 4 + SEED_BYTES;
const CHECKSUM_BYTES = 32;

/**
 * A key for each index, and the power to forget single ones: a puncturable pseudo-random function.
 * What it holds after `puncture(i)` does not determine the key of `i`, by whatever computation.
 *
 * It is the tree of Goldreich, Goldwasser and Micali ("How to construct random functions", J. ACM 33,
 * 1986) as Boneh and Waters (Asiacrypt 2013), Boyle, Goldwasser and Ivan (PKC 2014) and Kiayias et al.
 * (CCS 2013) puncture it: a node's children are pseudo-random functions of its seed, leaves are the keys,
 * and what is held is the seeds of the fewest subtrees that cover all keys not forgotten. Puncturing
 * replaces the seed above a leaf by those beside the path to it; a subtree that is forgotten whole costs
 * nothing. The children of a seed are HMAC-SHA256(seed, 0) and HMAC-SHA256(seed, 1).
 *
 * Size: one punctured index costs up to 32 seeds of 37 bytes; p scattered ones about p · (32 − log2 p),
 * neighbours next to nothing.
 */
export interface PuncturableKey {
  /** Names the tree; the same in all its copies, and no secret. 16 bytes. */
  readonly id: Buffer;
  /**
   * The key of an index; costs at most 32 HMACs.
   *
   * @returns 32 bytes, or undefined when the index is punctured
   */
  keyOf(index: number): Buffer | undefined;
  isPunctured(index: number): boolean;
  /** Forgets the key of an index for good. Punctured already: nothing happens. */
  puncture(index: number): void;
  punctureAll(indexes: Iterable<number>): void;
  /**
   * Punctures what a copy of the same tree has punctured.
   *
   * @returns whether this changed anything; undefined for a copy of another tree
   */
  punctureAsIn(copy: PuncturableKey): boolean | undefined;
  /** Which subtrees it holds, in no order; their seeds are views into it. */
  nodes(): Iterable<TreeNode>;
  /** How many of them; 1 when nothing was punctured. */
  size(): number;
  /** Fit for `parsePuncturableKey`; as secret as the keys. */
  serialise(): Buffer;
  /** Overwrites everything it holds. */
  wipe(): void;
}

/** A subtree: all indexes whose first `depth` bits are `prefix`. */
export interface TreeNode {
  readonly depth: number;
  readonly prefix: number;
  readonly seed: Buffer;
}

/** @param root 32 random bytes, drawn here unless given; the caller overwrites its own */
export function createPuncturableKey(root: Uint8Array = randomBytes(SEED_BYTES)): PuncturableKey {
  invariant(root.length === SEED_BYTES, "the root of a puncturable key has 32 bytes");
  return treeOf(randomBytes(ID_BYTES), [{ depth: 0, prefix: 0, seed: Buffer.from(root) }]);
}

/** @returns undefined when the bytes are not those of `serialise`, or were damaged */
export function parsePuncturableKey(bytes: Uint8Array): PuncturableKey | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = file.length - CHECKSUM_BYTES;
  if (end < HEADER_BYTES || !file.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (!file.subarray(end).equals(hash("sha256", file.subarray(0, end), "buffer"))) return undefined;
  if (end !== HEADER_BYTES + file.readUInt32BE(COUNT_AT) * NODE_BYTES) return undefined;
  const nodes: TreeNode[] = [];
  for (let at = HEADER_BYTES; at < end; at += NODE_BYTES) {
    const [depth, prefix] = [file.readUInt8(at), file.readUInt32BE(at + 1)];
    if (depth > DEPTH || prefix >= 2 ** depth) return undefined;
    nodes.push({ depth, prefix, seed: file.subarray(at + 5, at + NODE_BYTES) });
  }
  return treeOf(Buffer.from(file.subarray(MAGIC.length, COUNT_AT)), nodes);
}

function treeOf(id: Buffer, initial: readonly TreeNode[]): PuncturableKey {
  const seeds = createSeeds(SEED_BYTES);
  for (const { depth, prefix, seed } of initial) seeds.set(nameOf(depth, prefix), seed);

  /** The depth of the subtree that holds an index. */
  function depthHolding(index: number, depthMax = DEPTH): number | undefined {
    for (let depth = 0; depth <= depthMax; depth++) {
      if (seeds.has(nameOf(depth, prefixOf(index, depth)))) return depth;
    }
    return undefined;
  }

  function puncture(index: number): void {
    demandIndex(index);
    const held = depthHolding(index);
    if (held === undefined) return;
    let seed = seeds.take(nameOf(held, prefixOf(index, held)));
    for (let depth = held + 1; depth <= DEPTH; depth++) {
      const prefix = prefixOf(index, depth);
      const bit = prefix % 2;
      const beside = childOf(seed, 1 - bit);
      seeds.set(nameOf(depth, prefix - bit + (1 - bit)), beside);
      beside.fill(0);
      seed = replaced(seed, childOf(seed, bit));
    }
    seed.fill(0);
  }

  function* nodes(): Iterable<TreeNode> {
    for (const [name, seed] of seeds.entries()) yield { ...placeOf(name), seed };
  }

  return {
    id,
    keyOf(index) {
      demandIndex(index);
      const held = depthHolding(index);
      if (held === undefined) return undefined;
      let seed: Buffer = Buffer.from(seeds.get(nameOf(held, prefixOf(index, held))));
      for (let depth = held + 1; depth <= DEPTH; depth++) {
        seed = replaced(seed, childOf(seed, prefixOf(index, depth) % 2));
      }
      return seed;
    },
    isPunctured(index) {
      demandIndex(index);
      return depthHolding(index) === undefined;
    },
    puncture,
    punctureAll(indexes) {
      for (const index of indexes) puncture(index);
    },
    punctureAsIn(copy) {
      if (!copy.id.equals(id)) return undefined;
      const theirs = [...copy.nodes()];
      const ours = new Set(seeds.names());
      const others = new Set(theirs.map(({ depth, prefix }) => nameOf(depth, prefix)));
      // A subtree that both hold, one of them perhaps as part of a larger one, is what stays.
      const added = theirs.filter(
        ({ depth, prefix }) => !ours.has(nameOf(depth, prefix)) && isBelow(ours, depth, prefix),
      );
      const gone = [...ours].filter((name) => {
        const { depth, prefix } = placeOf(name);
        return !others.has(name) && !isBelow(others, depth, prefix);
      });
      for (const name of gone) seeds.take(name).fill(0);
      for (const { depth, prefix, seed } of added) seeds.set(nameOf(depth, prefix), seed);
      return gone.length > 0;
    },
    nodes,
    size: () => seeds.size(),
    serialise() {
      const end = HEADER_BYTES + seeds.size() * NODE_BYTES;
      const bytes = Buffer.alloc(end + CHECKSUM_BYTES);
      MAGIC.copy(bytes);
      id.copy(bytes, MAGIC.length);
      bytes.writeUInt32BE(seeds.size(), COUNT_AT);
      let at = HEADER_BYTES;
      // In the order of their names: the order of insertion would tell that of the punctures.
      for (const name of seeds.names().sort((a, b) => a - b)) {
        const { depth, prefix } = placeOf(name);
        bytes.writeUInt8(depth, at);
        bytes.writeUInt32BE(prefix, at + 1);
        seeds.get(name).copy(bytes, at + 5);
        at += NODE_BYTES;
      }
      hash("sha256", bytes.subarray(0, end), "buffer").copy(bytes, end);
      return bytes;
    },
    wipe: () => seeds.wipe(),
  };
}

function isBelow(held: ReadonlySet<number>, depth: number, prefix: number): boolean {
  for (let up = 1; up <= depth; up++) {
    if (held.has(nameOf(depth - up, Math.floor(prefix / 2 ** up)))) return true;
  }
  return false;
}

/** A node's place as one number: 6 bits of depth above 32 of prefix. */
function nameOf(depth: number, prefix: number): number {
  return depth * 2 ** DEPTH + prefix;
}

function placeOf(name: number): { depth: number; prefix: number } {
  // A whole level of depth 32 has prefixes up to 2^32 − 1, so the two parts never touch.
  return { depth: Math.floor(name / 2 ** DEPTH), prefix: name % 2 ** DEPTH };
}

function prefixOf(index: number, depth: number): number {
  return Math.floor(index / 2 ** (DEPTH - depth));
}

function demandIndex(index: number): void {
  invariant(
    Number.isInteger(index) && index >= 0 && index <= INDEX_MAX,
    "an index is a whole number of 32 bits",
  );
}

function replaced(former: Buffer, latter: Buffer): Buffer {
  former.fill(0);
  return latter;
}

const BLOCK_BYTES = 64;
const inner = Buffer.alloc(BLOCK_BYTES + 1);
const outer = Buffer.alloc(BLOCK_BYTES + 32);

/**
 * HMAC-SHA256 (RFC 2104) of one byte. Written out, since two plain hashes take a fifth of the time of an
 * HMAC object; a test holds it against that one.
 */
export function childOf(seed: Uint8Array, bit: number): Buffer {
  for (let at = 0; at < BLOCK_BYTES; at++) {
    const byte = seed[at] ?? 0;
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  }
  inner[BLOCK_BYTES] = bit;
  const digest = hash("sha256", inner, "buffer");
  digest.copy(outer, BLOCK_BYTES);
  const child = hash("sha256", outer, "buffer");
  for (const used of [digest, inner, outer]) used.fill(0);
  return child;
}
