import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Another process may remove an empty parent in between. */
const ATTEMPTS = 3;

/**
 * Makes a folder with its parents, each for its owner alone. `mkdir` with `recursive` never ends where a parent is there
 * and takes none, such as `/proc`.
 *
 * @returns the first of them that was not there; undefined where all were
 */
export async function makeFolder(path: string): Promise<string | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      const missing = await missingOf(path);
      for (const each of missing) await mkdir(each, { mode: 0o700 }).catch(unless("EEXIST"));
      return missing[0];
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      unless("ENOENT")(error);
    }
  }
}

/** The outermost first. */
async function missingOf(path: string): Promise<string[]> {
  const missing: string[] = [];
  for (let each = path; (await stat(each).catch(unless("ENOENT"))) === undefined; each = dirname(each))
    missing.unshift(each);
  return missing;
}

function unless(code: string) {
  return (error: unknown): undefined => {
    if (!(error instanceof Error && "code" in error && error.code === code)) throw error;
  };
}
