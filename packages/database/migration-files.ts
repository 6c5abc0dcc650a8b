import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { storeErrors } from "./errors.ts";

export const MIGRATIONS_DIR = join(import.meta.dirname, "migrations");
const FILE_NAME = /^(\d{4})_([a-z0-9-]+)\.sql$/;
const PHASE_LINE = /^-- phase: (\w+)$/m;
const NO_TRANSACTION_LINE = /^-- no transaction$/m;
/** Files before this one landed when there were no phases yet. */
const FIRST_PHASED = 10;

/**
 * Whether the release before works with what a file leaves behind. `expand`: it does. `contract`: it does not, so the
 * file waits until no replica of it is left. `early`: it does not, and the file landed before there were phases.
 */
export type Phase = "expand" | "contract" | "early";

export interface Migration {
  readonly number: number;
  readonly fileName: string;
  readonly text: string;
  readonly sha256: string;
  readonly phase: Phase;
  /** Run statement by statement, for `create index concurrently`. */
  readonly isInTransaction: boolean;
}

/** @throws store.migration_gap */
export async function readMigrations(dir: string): Promise<Migration[]> {
  const fileNames = (await readdir(dir)).filter((name) => name.endsWith(".sql")).sort();
  return Promise.all(
    fileNames.map(async (fileName, index) => {
      const number = Number(FILE_NAME.exec(fileName)?.[1]);
      if (number !== index + 1) {
        throw storeErrors.migrationGap({ detail: `${fileName} should be migration ${index + 1}.` });
      }
      return migrationOf(number, fileName, await readFile(join(dir, fileName), "utf8"));
    }),
  );
}

export function migrationOf(number: number, fileName: string, text: string): Migration {
  return {
    number,
    fileName,
    text,
    sha256: createHash("sha256").update(text).digest("hex"),
    phase: phaseOf(text) ?? (number < FIRST_PHASED ? "early" : "expand"),
    isInTransaction: !NO_TRANSACTION_LINE.test(text),
  };
}

function phaseOf(text: string): Phase | undefined {
  const word = PHASE_LINE.exec(text)?.[1];
  return word === "expand" || word === "contract" ? word : undefined;
}
