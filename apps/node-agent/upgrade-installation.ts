import {
  access,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DAY_MS } from "@securewave/foundation";
import { AgentError } from "./errors.ts";
import { mustRun } from "./run-program.ts";

/** The folder within an archive, and the program in it. */
const NAME = "securewave-node";
/** Names the version that is run. */
const CURRENT = "current";
/** Holds the former version, and how often the one on trial was started: `deploy/securewave-node` counts and reads it. */
const TRIAL = "trial";
/** Holds the version that made room for its former one. */
const REJECTED = "rejected";
const REJECTED_DAYS = 1;

/** An agent that the installer put into `<prefix>/<version>`, beside others. */
export interface Installation {
  /** Whether this version was switched to and has not reached its control plane yet. */
  isOnTrial(): Promise<boolean>;
  /** Ends the trial: this version stays, those before the former one are removed. */
  confirm(): Promise<void>;
  /** Whether a version failed within the day. */
  isRejected(version: string): Promise<boolean>;
  /** Where an archive is to be put for `take`. */
  readonly archivePath: string;
  /**
   * Unpacks an archive beside this version and makes it the one that is run next, on trial.
   *
   * @throws AgentError when what is in it does not run here
   */
  take(version: string): Promise<void>;
}

/** @param programPath of the running agent; undefined unless the installer put it there. */
export async function findInstallation(
  programPath: string,
  version: string,
): Promise<Installation | undefined> {
  const own = dirname(await realpath(programPath).catch(() => programPath));
  const prefix = dirname(own);
  const inPrefix = (name: string) => join(prefix, name);
  const isRun = async () => (await realpath(inPrefix(CURRENT)).catch(() => undefined)) === own;
  const archivePath = inPrefix(".update.tar.gz");
  if (basename(own) !== version || !(await isRun())) return undefined;

  return {
    archivePath,

    isOnTrial: () => isThere(inPrefix(TRIAL)),

    async confirm() {
      const [former] = (await textOf(inPrefix(TRIAL))).split(" ");
      await rm(inPrefix(TRIAL), { force: true });
      for (const entry of await readdir(prefix)) {
        const isVersion = await isThere(join(prefix, entry, "agent.mjs"));
        if (isVersion && ![version, former, CURRENT].includes(entry)) {
          await rm(inPrefix(entry), { recursive: true, force: true });
        }
      }
    },

    async isRejected(other) {
      const path = inPrefix(REJECTED);
      if ((await textOf(path)).trim() !== other) return false;
      const since = await stat(path).catch(() => undefined);
      return since !== undefined && Date.now() - since.mtimeMs < REJECTED_DAYS * DAY_MS;
    },

    async take(next) {
      const unpacked = inPrefix(".update");
      try {
        await rm(unpacked, { recursive: true, force: true });
        await mkdir(unpacked, { mode: 0o755 });
        await mustRun("unpacking the update", "tar", ["-xzf", archivePath, "-C", unpacked]);
        const program = join(unpacked, NAME, NAME);
        const says = await mustRun("trying the update", program, ["--version"]);
        if (says.trim() !== next) throw new AgentError("The update says that it is of another version.");
        await rm(inPrefix(next), { recursive: true, force: true });
        await rename(join(unpacked, NAME), inPrefix(next));
      } finally {
        await rm(unpacked, { recursive: true, force: true });
        await rm(archivePath, { force: true });
      }
      await writeFile(inPrefix(TRIAL), `${version} 0\n`);
      await rm(inPrefix("current.next"), { force: true });
      await symlink(next, inPrefix("current.next"));
      await rename(inPrefix("current.next"), inPrefix(CURRENT));
    },
  };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
