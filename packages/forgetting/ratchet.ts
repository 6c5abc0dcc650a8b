import { hash, randomBytes } from "node:crypto";
import { invariant } from "@securewave/foundation";
import { deriveKey } from "@securewave/foundation/derive";
import {
  describeFileError,
  prepareFolder,
  readIfThere,
  removeUnfinished,
  replaceFile,
  type Step,
} from "./erasing-file.ts";
import { forgettingErrors } from "./errors.ts";

const KEY_BYTES = 32;
const MAGIC = Buffer.from("SWRK\x01");
/** Generation (4, big endian), key. */
const ENTRY_BYTES = 4 + KEY_BYTES;
const CHECKSUM_BYTES = 32;
const [LINK, USE] = ["ratchet next generation", "ratchet use"] as const;
/** A hundred years of days: a file that is further behind belongs to something else. */
const STEPS_MAX = 36_525;

/**
 * A key that moves on: generation n + 1 follows from n, and nothing leads back. During a change of
 * generation both stand side by side, so that a crash at any moment leaves the one that is needed.
 */
export interface Ratchet {
  /** In ascending order: one, or two during a change. */
  generations(): readonly number[];
  /**
   * The key to use in a generation, also in one that is ahead; the key that moves on is another one and
   * stays inside. What is held does not change.
   *
   * @returns 32 bytes; undefined for a generation whose key is gone, or one too far ahead to be of this key
   */
  keyOf(generation: number): Buffer | undefined;
  /**
   * Puts the next generation beside the present one, on the disk.
   *
   * @returns the next generation's number
   * @throws forgetting.not_written; nothing has changed then
   */
  begin(): Promise<number>;
  /**
   * Ends a change, or finds the place again after a crash, a restart, or another process's change:
   * holds from then on exactly the key of that generation, and none that leads to it.
   *
   * @returns false when `keyOf` knows no such key; nothing has changed then
   * @throws forgetting.not_written; it holds what it held then
   */
  settleAt(generation: number): Promise<boolean>;
  /** Overwrites the keys in memory. */
  close(): void;
}

export type RatchetOpening =
  | { readonly state: "open"; readonly ratchet: Ratchet }
  | { readonly state: "missing" }
  | { readonly state: "unreadable"; readonly cause: string };

export interface RatchetOptions {
  /** For tests that end the process in the midst of it. */
  readonly onStep?: (step: Step) => void;
}

interface Entry {
  readonly generation: number;
  readonly key: Buffer;
}

/** Opens the file of a ratchet. What a crash left beside it is removed. */
export async function openRatchet(path: string, options: RatchetOptions = {}): Promise<RatchetOpening> {
  try {
    await removeUnfinished(path);
    const bytes = await readIfThere(path);
    if (bytes === undefined) return { state: "missing" };
    const entries = parseEntries(bytes);
    bytes.fill(0);
    if (entries === undefined) return { state: "unreadable", cause: "it is damaged, or no ledger key" };
    return { state: "open", ratchet: ratchetOf(path, entries, options) };
  } catch (error) {
    return { state: "unreadable", cause: describeFileError(error) };
  }
}

/**
 * Draws a new key, which opens nothing that was sealed before, and writes it over whatever is there.
 *
 * @throws forgetting.not_written
 */
export async function createRatchet(
  path: string,
  generation: number,
  options: RatchetOptions = {},
): Promise<Ratchet> {
  const entries = [{ generation, key: randomBytes(KEY_BYTES) }];
  await write(path, entries, options);
  return ratchetOf(path, entries, options);
}

function ratchetOf(path: string, initial: readonly Entry[], options: RatchetOptions): Ratchet {
  let entries = initial;

  async function replaceBy(next: readonly Entry[]): Promise<void> {
    const kept = new Set(next.map(({ key }) => key));
    try {
      await write(path, next, options);
    } catch (error) {
      for (const { key } of next) if (!entries.some((entry) => entry.key === key)) key.fill(0);
      throw error;
    }
    for (const { key } of entries) if (!kept.has(key)) key.fill(0);
    entries = next;
  }

  /** A copy of the key that leads on from a generation; the caller overwrites it. */
  function linkOf(generation: number): Buffer | undefined {
    const start = entries.findLast((entry) => entry.generation <= generation);
    if (start === undefined || generation - start.generation > STEPS_MAX) return undefined;
    let key: Buffer = Buffer.from(start.key);
    for (let step = start.generation; step < generation; step++) {
      const next = deriveKey(key, LINK);
      key.fill(0);
      key = next;
    }
    return key;
  }

  return {
    generations: () => entries.map(({ generation }) => generation),
    keyOf(generation) {
      const link = linkOf(generation);
      if (link === undefined) return undefined;
      const key = deriveKey(link, USE);
      link.fill(0);
      return key;
    },
    async begin() {
      const present = entries[0];
      invariant(present && entries.length === 1, "one change of generation ends before the next begins");
      const next = { generation: present.generation + 1, key: deriveKey(present.key, LINK) };
      await replaceBy([present, next]);
      return next.generation;
    },
    async settleAt(generation) {
      if (entries.length === 1 && entries[0]?.generation === generation) return true;
      const key = linkOf(generation);
      if (key === undefined) return false;
      await replaceBy([{ generation, key }]);
      return true;
    },
    close() {
      for (const { key } of entries) key.fill(0);
      entries = [];
    },
  };
}

async function write(path: string, entries: readonly Entry[], { onStep }: RatchetOptions): Promise<void> {
  const bytes = serialise(entries);
  try {
    await prepareFolder(path);
    await replaceFile(path, bytes, onStep);
  } catch (error) {
    throw forgettingErrors.notWritten({ internal: describeFileError(error) });
  } finally {
    bytes.fill(0);
  }
}

function serialise(entries: readonly Entry[]): Buffer {
  const end = MAGIC.length + entries.length * ENTRY_BYTES;
  const bytes = Buffer.alloc(end + CHECKSUM_BYTES);
  MAGIC.copy(bytes);
  entries.forEach(({ generation, key }, index) => {
    const at = MAGIC.length + index * ENTRY_BYTES;
    bytes.writeUInt32BE(generation, at);
    key.copy(bytes, at + 4);
  });
  hash("sha256", bytes.subarray(0, end), "buffer").copy(bytes, end);
  return bytes;
}

function parseEntries(bytes: Buffer): Entry[] | undefined {
  const end = bytes.length - CHECKSUM_BYTES;
  const count = (end - MAGIC.length) / ENTRY_BYTES;
  if (count !== 1 && count !== 2) return undefined;
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (!bytes.subarray(end).equals(hash("sha256", bytes.subarray(0, end), "buffer"))) return undefined;
  return Array.from({ length: count }, (_, index) => {
    const at = MAGIC.length + index * ENTRY_BYTES;
    return { generation: bytes.readUInt32BE(at), key: Buffer.from(bytes.subarray(at + 4, at + ENTRY_BYTES)) };
  });
}
