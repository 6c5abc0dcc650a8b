import type { Reader, Sink } from "./reader.ts";

/** What an opener has to hand. */
export interface Opening {
  /** Where the content goes that was found inside, under a name of its own; it is opened in turn. */
  open(name: string): Sink;
  /** Something inside could not be read, or not to its end. */
  problem(text: string): void;
}

/** Reads one form of package. Must take whatever stands there: damaged, cut off, or something else altogether. */
export type Opener = (reader: Reader, opening: Opening) => Promise<void>;

/** A package that is read at once, and not piece by piece, may have so many bytes. */
export const WHOLE_BYTES_MAX = 512 * 1024 * 1024;

/** All that is left to read; undefined, with a problem noted, when that is too much. */
export async function readWhole(reader: Reader, opening: Opening): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for (let piece = await reader.piece(); piece.length > 0; piece = await reader.piece()) {
    bytes += piece.length;
    if (bytes > WHOLE_BYTES_MAX) {
      opening.problem("too large to be opened");
      return undefined;
    }
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

export async function give(opening: Opening, name: string, content: Buffer): Promise<void> {
  const sink = opening.open(name);
  await sink.write(content);
  await sink.end();
}
