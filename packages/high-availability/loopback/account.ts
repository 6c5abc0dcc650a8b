import { chownSync } from "node:fs";
import { runOrThrow } from "@securewave/testing";

/** Whom Debian's PostgreSQL runs as. */
const POSTGRES_USER = "postgres";

/** Whom the programs of a cluster run as: never root, which PostgreSQL refuses. */
export interface SystemAccount {
  /** The program and arguments that run a command as that one. */
  wrap(command: string, args: readonly string[]): { command: string; args: string[] };
  /** Gives a file or folder to that one. */
  own(path: string): void;
}

/** The one who runs this; where that is root, the account that Debian's PostgreSQL made. */
export async function unprivilegedAccount(): Promise<SystemAccount> {
  if (process.getuid?.() !== 0) {
    return { wrap: (command, args) => ({ command, args: [...args] }), own: () => undefined };
  }
  const [uid = 0, gid = 0] = await Promise.all(
    ["-u", "-g"].map(async (what) => Number((await runOrThrow("id", [what, POSTGRES_USER])).stdout)),
  );
  const identity = [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--"];
  return {
    wrap: (command, args) => ({ command: "setpriv", args: [...identity, command, ...args] }),
    own: (path) => chownSync(path, uid, gid),
  };
}
