import { open } from "node:fs/promises";
import { CliError, EXIT } from "../failure.ts";

/** No line of a trail is longer by far; more is not gathered. */
export const LINE_CHARACTERS_MAX = 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;

/** A file that is read line by line. */
export interface LineSource {
  readonly lines: AsyncGenerator<string, undefined>;
  /** 0 for what is no regular file. */
  readonly sizeBytes: number;
  readonly readBytes: () => number;
  /** The next lines, as many as there are. */
  readonly take: (count: number) => Promise<string[]>;
  readonly close: () => Promise<void>;
}

/** @throws CliError `cli.file_unreadable`, also while lines are read */
export async function openLines(path: string): Promise<LineSource> {
  const file = await open(path).catch(() => {
    throw unreadable(path);
  });
  const { size } = await file.stat();
  const chunks = file.createReadStream({ encoding: "utf8", highWaterMark: CHUNK_BYTES });
  const lines = splitLines(path, chunks);
  return {
    lines,
    sizeBytes: size,
    readBytes: () => chunks.bytesRead,
    async take(count) {
      const taken: string[] = [];
      while (taken.length < count) {
        const { done, value } = await lines.next();
        if (done) break;
        taken.push(value);
      }
      return taken;
    },
    close: () => {
      chunks.destroy();
      return file.close();
    },
  };
}

async function* splitLines(path: string, chunks: AsyncIterable<string>): AsyncGenerator<string, undefined> {
  let rest = "";
  try {
    for await (const chunk of chunks) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
      if (rest.length <= LINE_CHARACTERS_MAX) continue;
      yield rest;
      rest = "";
    }
  } catch {
    throw unreadable(path);
  }
  if (rest !== "") yield rest;
}

export function unreadable(path: string): CliError {
  return new CliError("cli.file_unreadable", `The file ${path} cannot be read.`, { exitCode: EXIT.usage });
}
