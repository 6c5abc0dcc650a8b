import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TemporaryDir, temporaryDir } from "@securewave/testing";
import type { SystemAccount } from "./account.ts";

/** The scratch folder of a cluster, in which everything belongs to those who run its programs. */
export interface Folders {
  readonly path: string;
  folder(name: string): string;
  /** @returns its path */
  file(name: string, content: string): string;
  remove(): void;
}

export function createFolders(account: SystemAccount): Folders {
  const dir: TemporaryDir = temporaryDir("high-availability");
  account.own(dir.path);
  return {
    path: dir.path,
    folder(name) {
      const path = join(dir.path, name);
      mkdirSync(path, { mode: 0o700 });
      account.own(path);
      return path;
    },
    file(name, content) {
      const path = join(dir.path, name);
      writeFileSync(path, content, { mode: 0o600 });
      account.own(path);
      return path;
    },
    remove: dir.remove,
  };
}
