import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { leaveToReaper } from "./reaper.ts";

export interface TemporaryDir {
  readonly path: string;
  remove(): void;
  [Symbol.dispose](): void;
}

/** Makes an empty folder that only this user can read; it is removed with this process at the latest. */
export function temporaryDir(purpose = "test"): TemporaryDir {
  const path = mkdtempSync(join(tmpdir(), `securewave-${purpose}-`));
  const forget = leaveToReaper({ folder: path });
  const remove = () => {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
    forget();
  };
  return { path, remove, [Symbol.dispose]: remove };
}
