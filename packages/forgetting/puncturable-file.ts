import { hash } from "node:crypto";
import { invariant } from "@securewave/foundation";
import {
  describeFileError,
  nameOf,
  prepareFolder,
  readIfThere,
  removeUnfinished,
  replaceFile,
  type Step,
} from "./erasing-file.ts";
import { forgettingErrors } from "./errors.ts";
import { createPuncturableKey, type PuncturableKey, parsePuncturableKey } from "./puncturable.ts";

export interface PuncturableFileOptions {
  /** The file, and the copies that are written with it. Folders are made; files have mode 0600. */
  readonly paths: readonly [string, ...string[]];
  /** Draws a new key when there is no file at any path. False: that is `forgetting.key_missing`. */
  readonly create: boolean;
  /** For tests that end the process in the midst of it. */
  readonly onStep?: (step: Step) => void;
}

/** Which copies hold every erasure, and which could not be written; these hold keys that should be gone. */
export interface ErasedIn {
  readonly current: readonly string[];
  readonly behind: readonly string[];
}

/** A puncturable key in a file that no backup may read, and its copies. One process has it at a time. */
export interface PuncturableFile {
  /** True when it was drawn by this opening. */
  readonly isNew: boolean;
  /** @returns 32 bytes, or undefined when the index was erased */
  keyOf(index: number): Buffer | undefined;
  isErased(index: number): boolean;
  /**
   * Erases keys, durably: when it resolves, no file of `current` holds them, and memory neither.
   * Calls queue up. Erased already: nothing is written but copies that are behind.
   *
   * @throws forgetting.not_written when not even one file could be written; nothing is erased then
   */
  erase(indexes: readonly number[]): Promise<ErasedIn>;
  /** Tries again to write the copies that are behind. */
  refresh(): Promise<ErasedIn>;
  /**
   * Writes one copy more, and from here on with each erasure.
   *
   * @throws forgetting.not_written
   */
  addCopy(path: string): Promise<void>;
  /** What is on which path as of the last writing. */
  copies(): ErasedIn;
  /** Overwrites the key in memory; every later call is a bug. */
  close(): void;
}

/**
 * Opens the file. Copies that differ are united: what one of them has erased is erased in all.
 *
 * @throws forgetting.key_missing, forgetting.key_unreadable, forgetting.foreign_copy, forgetting.not_written
 */
export async function openPuncturableFile(options: PuncturableFileOptions): Promise<PuncturableFile> {
  const { create, onStep } = options;
  const paths = new Set<string>(options.paths);
  const found = await Promise.all([...paths].map(read));
  const { key, isNew } = unite(found, create);
  const behind = new Set<string>();
  const causes: string[] = [];
  let isOpen = true;
  let held = key;
  let queue: Promise<unknown> = Promise.resolve();

  /** Tries all of the paths. @throws when none of them could be written */
  async function writeTo(targets: Iterable<string>, content: PuncturableKey): Promise<string[]> {
    const bytes = content.serialise();
    const written: string[] = [];
    causes.length = 0;
    for (const path of targets) {
      try {
        await prepareFolder(path);
        await replaceFile(path, bytes, onStep);
        behind.delete(path);
        written.push(path);
      } catch (error) {
        behind.add(path);
        causes.push(`${nameOf(path)}: ${describeFileError(error)}`);
      }
    }
    bytes.fill(0);
    return written;
  }

  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = queue.then(work);
    queue = result.catch(() => {});
    return result;
  }

  const state = (): ErasedIn => ({
    current: [...paths].filter((path) => !behind.has(path)),
    behind: [...behind],
  });

  async function refresh(): Promise<ErasedIn> {
    if (behind.size > 0) await writeTo([...behind], held);
    return state();
  }

  function demandOpen(): void {
    invariant(isOpen, "a key that was closed is not asked");
  }

  const united = fingerprintOf(key);
  const outdated = found.filter(({ print }) => !print?.equals(united)).map(({ path }) => path);
  const current = paths.size - outdated.length;
  if (outdated.length > 0) {
    const written = await writeTo(outdated, held);
    if (current + written.length === 0) throw forgettingErrors.notWritten({ internal: causes.join(", ") });
  }
  for (const { copy } of found) if (copy !== key) copy?.wipe();

  return {
    isNew,
    keyOf(index) {
      demandOpen();
      return held.keyOf(index);
    },
    isErased(index) {
      demandOpen();
      return held.isPunctured(index);
    },
    erase: (indexes) =>
      inTurn(async () => {
        demandOpen();
        if (indexes.every((index) => held.isPunctured(index))) return refresh();
        const bytes = held.serialise();
        const next = parsePuncturableKey(bytes);
        bytes.fill(0);
        invariant(next, "a key that was just serialised can be parsed");
        next.punctureAll(indexes);
        const formerlyBehind = new Set(behind);
        const written = await writeTo(paths, next);
        if (written.length === 0) {
          next.wipe();
          for (const path of paths) if (!formerlyBehind.has(path)) behind.delete(path);
          throw forgettingErrors.notWritten({ internal: causes.join(", ") });
        }
        held.wipe();
        held = next;
        return state();
      }),
    refresh: () => inTurn(refresh),
    addCopy: (path) =>
      inTurn(async () => {
        demandOpen();
        const written = await writeTo([path], held);
        if (written.length === 0) {
          if (!paths.has(path)) behind.delete(path);
          throw forgettingErrors.notWritten({ internal: causes.join(", ") });
        }
        paths.add(path);
      }),
    copies: state,
    close() {
      isOpen = false;
      held.wipe();
    },
  };
}

interface Found {
  readonly path: string;
  readonly state: "missing" | "unreadable" | "read";
  readonly copy: PuncturableKey | undefined;
  /** Of what the file holds; undefined when that is no key. */
  readonly print?: Buffer;
}

/** Equal keys have equal bytes, since these are in the order of the tree. */
function fingerprintOf(key: PuncturableKey): Buffer {
  const bytes = key.serialise();
  const print = hash("sha256", bytes, "buffer");
  bytes.fill(0);
  return print;
}

async function read(path: string): Promise<Found> {
  try {
    await removeUnfinished(path);
    const bytes = await readIfThere(path);
    if (bytes === undefined) return { path, state: "missing", copy: undefined };
    const copy = parsePuncturableKey(bytes);
    bytes.fill(0);
    return copy
      ? { path, state: "read", copy, print: fingerprintOf(copy) }
      : { path, state: "unreadable", copy: undefined };
  } catch {
    return { path, state: "unreadable", copy: undefined };
  }
}

function unite(found: readonly Found[], create: boolean): { key: PuncturableKey; isNew: boolean } {
  const copies = found.flatMap(({ copy }) => (copy ? [copy] : []));
  const [key, ...others] = copies;
  if (key === undefined) {
    const bad = found.filter(({ state }) => state === "unreadable");
    if (bad.length > 0)
      throw forgettingErrors.keyUnreadable({ internal: bad.map(({ path }) => nameOf(path)).join(", ") });
    if (!create) throw forgettingErrors.keyMissing();
    return { key: createPuncturableKey(), isNew: true };
  }
  for (const other of others) {
    if (key.punctureAsIn(other) === undefined) throw forgettingErrors.foreignCopy();
  }
  return { key, isNew: false };
}
