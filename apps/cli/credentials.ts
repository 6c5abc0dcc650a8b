import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { CliError } from "./failure.ts";
import { isErrno, writePrivateFile } from "./files.ts";

/** A log-in at one service. */
export interface SavedLogin {
  readonly email: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

interface SavedState {
  /** The service that was logged in to last. */
  readonly url?: string;
  readonly logins: Readonly<Record<string, SavedLogin>>;
}

export interface Credentials {
  readonly path: string;
  /** @throws CliError `cli.credentials_unreadable` */
  readonly read: () => Promise<SavedState>;
  /** Runs with the file to itself, across processes. Its writes are atomic. */
  readonly locked: <Result>(work: (change: ChangeCredentials) => Promise<Result>) => Promise<Result>;
}

export interface ChangeCredentials {
  readonly read: () => Promise<SavedState>;
  readonly save: (url: string, login: SavedLogin) => Promise<void>;
  /** Drops the log-in at a service, which stays the one in use. */
  readonly forget: (url: string) => Promise<void>;
}

const LOCK_WAIT_MS_MAX = 30_000;
const LOCK_POLL_MS = 25;

export function credentialsPath(env: Readonly<Record<string, string | undefined>>, homeDir: string): string {
  const configDir = env.XDG_CONFIG_HOME ? env.XDG_CONFIG_HOME : join(homeDir, ".config");
  return join(configDir, "securewave", "credentials.json");
}

export function openCredentials(path: string): Credentials {
  const read = () => readState(path);
  return {
    path,
    read,
    async locked(work) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const release = await takeLock(`${path}.lock`);
      try {
        return await work({
          read,
          async save(url, login) {
            const state = await read();
            await writeState(path, { url, logins: { ...state.logins, [url]: login } });
          },
          async forget(url) {
            const { [url]: _, ...logins } = (await read()).logins;
            await writeState(path, { url, logins });
          },
        });
      } finally {
        await release();
      }
    },
  };
}

async function readState(path: string): Promise<SavedState> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT")) return { logins: {} };
    throw unreadable(path);
  }
  const state = parseState(parseJson(text));
  if (state === undefined) throw unreadable(path);
  return state;
}

/** Undefined when the text is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function parseState(value: unknown): SavedState | undefined {
  if (!isRecord(value) || !isRecord(value.logins)) return undefined;
  const logins: Record<string, SavedLogin> = {};
  for (const [url, login] of Object.entries(value.logins)) {
    if (!isRecord(login)) return undefined;
    const { email, accessToken, refreshToken } = login;
    if (typeof email !== "string" || typeof accessToken !== "string" || typeof refreshToken !== "string") {
      return undefined;
    }
    logins[url] = { email, accessToken, refreshToken };
  }
  return { logins, ...(typeof value.url === "string" && { url: value.url }) };
}

function unreadable(path: string): CliError {
  return new CliError("cli.credentials_unreadable", `The saved log-ins in ${path} cannot be read.`, {
    next: "Remove the file and log in again: securewave login",
  });
}

async function writeState(path: string, state: SavedState): Promise<void> {
  await writePrivateFile(path, `${JSON.stringify(state, null, 2)}\n`);
}

/** Takes a lock file that holds the taker's process id. A lock whose process has ended is set aside. */
async function takeLock(lockPath: string): Promise<() => Promise<void>> {
  const deadline = Date.now() + LOCK_WAIT_MS_MAX;
  while (Date.now() < deadline) {
    try {
      const lock = await open(lockPath, "wx", 0o600);
      await lock.writeFile(String(process.pid));
      await lock.close();
      return () => rm(lockPath, { force: true });
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
    }
    const holder = Number(await readFile(lockPath, "utf8").catch(() => ""));
    if (holder > 0 && !isAlive(holder)) {
      // Renaming lets one of several waiting processes win.
      const asidePath = `${lockPath}.${randomBytes(6).toString("hex")}`;
      await rename(lockPath, asidePath).catch(() => undefined);
      await rm(asidePath, { force: true });
    } else {
      await pause(LOCK_POLL_MS);
    }
  }
  throw new CliError("cli.credentials_locked", "Another securewave command holds the saved log-ins.", {
    next: `If none is running, remove ${lockPath}`,
  });
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return !isErrno(error, "ESRCH");
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
