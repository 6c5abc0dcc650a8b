import type { Matcher, OnMatch } from "./matcher.ts";
import { closedFormOf, formOf, type Opener, readingSink, type Sink, SNIFF_BYTES } from "./unpack/index.ts";

export interface Limits {
  /** How deep packages may lie in each other. */
  readonly depthMax: number;
  /** How many bytes may come out of one file, all that is in it together. */
  readonly unpackedBytesMax: number;
  /** How many times as many bytes as there are in the file, beyond the first 64 MiB. */
  readonly ratioMax: number;
}

export const LIMITS: Limits = { depthMax: 6, unpackedBytesMax: 256 * 2 ** 30, ratioMax: 2000 };
const RATIO_FREE_BYTES = 64 * 2 ** 20;

/** Where something could not be searched, or not to its end. */
export interface Problem {
  readonly source: string;
  readonly text: string;
}

/** What was searched. */
export interface Tally {
  /** As it lies there. */
  bytes: number;
  /** What came out of packages. */
  unpackedBytes: number;
  readonly forms: Map<string, number>;
  readonly problems: Problem[];
}

export type OnFind = (index: number, source: string, offset: number, around: Buffer, at: number) => void;

class BoundReached extends Error {}

/**
 * Searches one file: as it lies there, and all that can be unpacked from it.
 *
 * @param source its name in reports
 */
export function searchFile(
  matcher: Matcher,
  source: string,
  tally: Tally,
  onFind: OnFind,
  limits: Limits = LIMITS,
): Sink {
  const own = { bytes: 0, unpacked: 0, isOver: false };
  const problem = (where: string, text: string) => tally.problems.push({ source: where, text });

  function count(length: number, depth: number): void {
    if (depth === 0) {
      own.bytes += length;
      tally.bytes += length;
      return;
    }
    own.unpacked += length;
    tally.unpackedBytes += length;
    const ratioBytes = Math.max(RATIO_FREE_BYTES, limits.ratioMax * own.bytes);
    if (own.unpacked > Math.min(limits.unpackedBytesMax, ratioBytes)) own.isOver = true;
    if (own.isOver) throw new BoundReached("too much comes out of this file");
  }

  function level(name: string, depth: number): Sink {
    const onMatch: OnMatch = (index, offset, around, at) => onFind(index, name, offset, around, at);
    const stream = matcher.begin(onMatch);
    let head: Buffer | undefined = Buffer.alloc(0);
    let inner: Sink | undefined;

    async function begin(): Promise<void> {
      const first = head ?? Buffer.alloc(0);
      head = undefined;
      const closed = closedFormOf(first);
      if (closed !== undefined) problem(name, `nothing here opens ${closed}`);
      const form = formOf(first);
      if (form === undefined) return;
      if (depth >= limits.depthMax) return void problem(name, "packages lie too deep in each other");
      tally.forms.set(form.name, (tally.forms.get(form.name) ?? 0) + 1);
      inner = open(name, form.open, depth);
      await inner.write(first);
    }
    return {
      async write(chunk) {
        count(chunk.length, depth);
        stream.write(chunk);
        if (head === undefined) return inner?.write(chunk);
        head = Buffer.concat([head, chunk]);
        if (head.length >= SNIFF_BYTES) await begin();
      },
      async end() {
        stream.end();
        if (head !== undefined) await begin();
        await inner?.end();
      },
    };
  }

  function open(name: string, opener: Opener, depth: number): Sink {
    return readingSink(async (reader) => {
      try {
        await opener(reader, {
          open: (inside) => level(`${name} › ${inside}`, depth + 1),
          problem: (text) => problem(name, text),
        });
      } catch (error) {
        const isBound = error instanceof BoundReached;
        problem(name, isBound ? error.message : "it could not be unpacked");
      }
    });
  }
  return level(source, 0);
}
