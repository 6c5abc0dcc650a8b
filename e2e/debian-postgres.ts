import { existsSync } from "node:fs";
import { chown, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  eventually,
  freeTcpPort,
  type RunningProcess,
  run,
  runOrThrow,
  startProcess,
  temporaryDir,
} from "@securewave/testing";

const PACKAGES_DIR = "/usr/lib/postgresql";
export const POSTGRES_USER = "postgres";

export function hasPostgresPackages(): boolean {
  return existsSync(PACKAGES_DIR);
}

/** Where Debian put PostgreSQL's programs; undefined where there is none. */
export async function postgresBinDir(): Promise<string | undefined> {
  const versions = await readdir(PACKAGES_DIR).catch(() => []);
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? undefined : join(PACKAGES_DIR, newest, "bin");
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root. */
export async function postgresOwner(): Promise<Owner> {
  const [uid, gid] = await Promise.all(
    ["-u", "-g"].map(async (what) => Number((await runOrThrow("id", [what, POSTGRES_USER])).stdout)),
  );
  return { uid: uid ?? 0, gid: gid ?? 0 };
}

/** What stands before a program for `setpriv` to run it as somebody else. */
export function identity({ uid, gid }: Owner): string[] {
  return [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--"];
}

/** Debian's PostgreSQL, in a namespace where one is named. */
export interface DebianPostgres {
  /** As its superuser; as the namespace that it runs in sees it. */
  readonly url: string;
  /** Ends it as an operator does, with all connections, and starts it again. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function openDebianPostgres(namespace?: string): Promise<DebianPostgres> {
  const binDir = (await postgresBinDir()) ?? "";
  const place = namespace === undefined ? {} : { namespace };
  const dir = temporaryDir("debian-postgres");
  const owner = await postgresOwner();
  const dataDir = join(dir.path, "data");
  await chown(dir.path, owner.uid, owner.gid);
  const initdb = ["--pgdata", dataDir, "--auth=trust", `--username=${POSTGRES_USER}`, "--no-sync"];
  await runOrThrow("setpriv", [...identity(owner), join(binDir, "initdb"), ...initdb], { cwd: dir.path });
  const port = await freeTcpPort();
  await writeFile(
    join(dataDir, "postgresql.auto.conf"),
    `listen_addresses = '127.0.0.1'\nport = ${port}\nunix_socket_directories = ''\nshared_buffers = '16MB'\n`,
  );
  let server: RunningProcess;
  async function start(): Promise<void> {
    server = await startProcess({
      command: "setpriv",
      args: [...identity(owner), join(binDir, "postgres"), "-D", dataDir],
      cwd: dir.path,
      ...place,
    });
    await eventually(
      async () => {
        const { code } = await run(
          join(binDir, "pg_isready"),
          ["-h", "127.0.0.1", "-p", String(port)],
          place,
        );
        if (code !== 0) throw new Error("PostgreSQL takes no connections");
      },
      { timeoutMs: 30_000 },
    );
  }
  async function end(signal: "SIGINT" | "SIGQUIT"): Promise<void> {
    server.kill(signal);
    await server.exited;
    await server.stop();
  }
  await start();
  return {
    url: `postgresql://${POSTGRES_USER}@127.0.0.1:${port}/postgres`,
    async restart() {
      await end("SIGINT");
      await start();
    },
    async close() {
      await end("SIGQUIT");
      dir.remove();
    },
  };
}
