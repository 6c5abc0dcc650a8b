import { chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PostgresAccess, RedisAccess } from "@securewave/ghosts";
import {
  eventually,
  forwardPort,
  freeTcpPort,
  type RunningProcess,
  runOrThrow,
  startProcess,
  type TemporaryDir,
  temporaryDir,
} from "@securewave/testing";
import pg from "pg";
import { identity, POSTGRES_USER, postgresBinDir, postgresOwner } from "./debian-postgres.ts";

/** A PostgreSQL with an archive and a streaming replica. */
export interface ArchivedPostgres {
  /** As the namespace that it runs in sees it. */
  readonly url: string;
  /** Within its namespace. */
  readonly port: number;
  readonly access: PostgresAccess;
  /** Changes a setting of the running server; undefined takes it back. */
  set(name: string, value: string | undefined): Promise<void>;
  close(): Promise<void>;
}

/** @param namespace where both servers run, listening on all its addresses; files are shared with all namespaces */
export async function openArchivedPostgres(namespace: string): Promise<ArchivedPostgres> {
  const binDir = (await postgresBinDir()) ?? "";
  const dir = temporaryDir("archived-postgres");
  const owner = await postgresOwner();
  const below = (name: string) => join(dir.path, name);
  const [dataDir, replicaDir, archiveDir, logDir] = ["data", "replica", "archive", "log"].map(below) as [
    string,
    string,
    string,
    string,
  ];
  await chown(dir.path, owner.uid, owner.gid);
  for (const folder of [archiveDir, logDir]) {
    await mkdir(folder, { mode: 0o700 });
    await chown(folder, owner.uid, owner.gid);
  }
  const asUser = (program: string, args: readonly string[]) =>
    runOrThrow("setpriv", [...identity(owner), join(binDir, program), ...args], { cwd: dir.path });
  const [port, replicaPort] = [await freeTcpPort(), await freeTcpPort()];
  await asUser("initdb", ["--pgdata", dataDir, "--auth=trust", `--username=${POSTGRES_USER}`, "--no-sync"]);
  const common = `listen_addresses = '*'
unix_socket_directories = ''
max_wal_senders = 8
shared_buffers = '16MB'
hot_standby = on
track_activities = on
log_min_messages = warning
`;
  await writeFile(
    join(dataDir, "postgresql.auto.conf"),
    `${common}port = ${port}
wal_level = replica
archive_mode = on
archive_command = 'cp %p ${archiveDir}/%f'
logging_collector = on
log_directory = '${logDir}'
log_filename = 'postgresql.log'
`,
  );
  const start = (folder: string) =>
    startProcess({
      command: "setpriv",
      args: [...identity(owner), join(binDir, "postgres"), "-D", folder],
      cwd: dir.path,
      namespace,
    });
  const servers: RunningProcess[] = [await start(dataDir)];
  const url = `postgresql://${POSTGRES_USER}@127.0.0.1:${port}/postgres`;
  const way = await forwardPort(namespace, { host: "127.0.0.1", port });
  const pool = new pg.Pool({
    host: "127.0.0.1",
    port: way.port,
    user: POSTGRES_USER,
    database: POSTGRES_USER,
    max: 2,
  });
  pool.on("error", () => {});
  const connection = ["--host=127.0.0.1", `--port=${way.port}`, `--username=${POSTGRES_USER}`];
  async function close(): Promise<void> {
    await pool.end();
    await way.close();
    for (const server of servers.toReversed()) {
      server.kill("SIGQUIT");
      await server.exited;
      await server.stop();
    }
    dir.remove();
  }
  try {
    await eventually(() => pool.query("select 1"), { timeoutMs: 30_000 });
    await asUser("pg_basebackup", [
      ...connection,
      "--pgdata",
      replicaDir,
      "--checkpoint=fast",
      "--write-recovery-conf",
    ]);
    const primary = `primary_conninfo = 'host=127.0.0.1 port=${port} user=${POSTGRES_USER} application_name=replica'`;
    await writeFile(
      join(replicaDir, "postgresql.auto.conf"),
      `${common}port = ${replicaPort}\narchive_mode = off\n${primary}\n`,
    );
    servers.push(await start(replicaDir));
    await eventually(
      async () => {
        const { rows } = await pool.query("select 1 from pg_stat_replication where state = 'streaming'");
        if (rows.length === 0) throw new Error("the replica does not stream");
      },
      { timeoutMs: 30_000 },
    );
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    port,
    access: {
      query: async (statement, values) => (await pool.query(statement, values ? [...values] : [])).rows,
      connection,
      binDir,
      dataDir,
      archiveDir,
      replicaDir,
      logPath: join(logDir, "postgresql.log"),
    },
    async set(name, value) {
      await pool.query(`alter system ${value === undefined ? `reset ${name}` : `set ${name} = '${value}'`}`);
      await pool.query("select pg_reload_conf()");
      await eventually(async () => {
        // Some settings are those of a session's start, so a new one is asked.
        const client = new pg.Client({
          host: "127.0.0.1",
          port: way.port,
          user: POSTGRES_USER,
          database: POSTGRES_USER,
        });
        await client.connect();
        const { rows } = await client
          .query("select setting from pg_settings where name = $1", [name])
          .finally(() => client.end());
        if (value !== undefined && rows[0]?.setting !== value)
          throw new Error(`${name} is ${rows[0]?.setting}`);
      });
    },
    close,
  };
}

/** A Redis with a replica, each with a folder of its own. */
export interface ReplicatedRedis {
  /** As the namespace that it runs in sees it. */
  readonly url: string;
  readonly access: RedisAccess;
  /** Sets something of both. */
  set(name: string, value: string): Promise<void>;
  ask(...words: string[]): Promise<string>;
  askReplica(...words: string[]): Promise<string>;
  close(): Promise<void>;
}

export async function openReplicatedRedis(namespace: string): Promise<ReplicatedRedis> {
  const dirs = [temporaryDir("redis"), temporaryDir("redis-replica")] as const;
  const [port, replicaPort] = [await freeTcpPort(), await freeTcpPort()];
  const common = [
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--slowlog-log-slower-than",
    "-1",
  ];
  const start = (dir: TemporaryDir, own: number, args: readonly string[] = []) =>
    startProcess({
      command: "redis-server",
      args: ["--port", String(own), "--dir", dir.path, ...common, "--repl-diskless-load", "swapdb", ...args],
      readyWhen: /Ready to accept connections/,
      namespace,
    });
  const main = await start(dirs[0], port, ["--repl-diskless-sync-delay", "0"]);
  const replica = await start(dirs[1], replicaPort, ["--replicaof", "127.0.0.1", String(port)]);
  const ask = async (at: number, words: readonly string[]) =>
    (await runOrThrow("redis-cli", ["-p", String(at), ...words], { namespace })).stdout;
  await eventually(
    async () => {
      if (!(await ask(port, ["INFO", "replication"])).includes("state=online")) throw new Error("no replica");
    },
    { timeoutMs: 20_000 },
  );
  const way = await forwardPort(namespace, { host: "127.0.0.1", port });
  return {
    url: `redis://127.0.0.1:${port}`,
    access: { host: "127.0.0.1", port: way.port, dir: dirs[0].path, replicaDir: dirs[1].path },
    async set(name, value) {
      for (const at of [port, replicaPort]) await ask(at, ["CONFIG", "SET", name, value]);
    },
    ask: (...words) => ask(port, words),
    askReplica: (...words) => ask(replicaPort, words),
    async close() {
      await way.close();
      for (const server of [replica, main]) await server.stop();
      for (const dir of dirs) dir.remove();
    },
  };
}
