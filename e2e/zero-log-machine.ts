import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import {
  createNetwork,
  eventually,
  forwardPort,
  randomSuffix,
  runOrThrow,
  type TemporaryDir,
  temporaryDir,
} from "@securewave/testing";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { type Person, setUpAdmin } from "./people.ts";
import {
  type ArchivedPostgres,
  openArchivedPostgres,
  openReplicatedRedis,
  type ReplicatedRedis,
} from "./zero-log-stores.ts";

const API_PORT = 8000;
/** Of the service in PostgreSQL, and of its database. */
const ROLE = "securewave";
const OUTSIDE = { machine: "198.51.100.1", neighbour: "198.51.100.2" };

/** One machine, as an operator runs it: service, VPN server, PostgreSQL with archive and replica, Redis with replica. */
export interface ZeroLogMachine {
  /** Its network namespace. */
  readonly namespace: string;
  /** How the service is reached from outside. */
  readonly url: string;
  readonly plane: ControlPlane;
  readonly admin: Person;
  readonly postgres: ArchivedPostgres;
  readonly redis: ReplicatedRedis;
  /** Has the service's database carry out statements. */
  tellDatabase(statements: string): Promise<void>;
  close(): Promise<void>;
}

export async function openZeroLogMachine(): Promise<ZeroLogMachine> {
  const closing: (() => unknown)[] = [];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const dir = temporaryDir("zero-log-machine");
    closing.push(() => dir.remove());
    return { ...(await open(dir, closing)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(dir: TemporaryDir, closing: (() => unknown)[]): Promise<Omit<ZeroLogMachine, "close">> {
  const network = createNetwork();
  closing.push(() => network.destroy());
  const namespace = await network.addNamespace("machine");
  await network.connect(namespace, await network.addNamespace("outside"), {
    v4: [`${OUTSIDE.machine}/24`, `${OUTSIDE.neighbour}/24`],
  });
  const postgres = await openArchivedPostgres(namespace);
  closing.push(postgres.close);
  const redis = await openReplicatedRedis(namespace);
  closing.push(redis.close);
  const below = async (name: string) => {
    await mkdir(join(dir.path, name), { mode: 0o700 });
    return join(dir.path, name);
  };
  const [logDir, dumpsDir] = [await below("log"), await below("dumps")];
  const { archiveDir = "", replicaDir = "", dataDir } = postgres.access;
  const { dir: redisDir = "", replicaDir: redisReplicaDir = "" } = redis.access;
  const plane = await startControlPlane({
    dir: dir.path,
    namespace,
    port: API_PORT,
    env: {
      LOCAL_NODE: "auto",
      LOCAL_NODE_NAME: randomSuffix(),
      LOCAL_NODE_HOST: OUTSIDE.machine,
      METRICS_HOST: "127.0.0.1",
      DATABASE_URL: await makeRole(postgres),
      REDIS_URL: redis.url,
      JWT_SECRET: randomBytes(32).toString("hex"),
      MASTER_KEY: randomBytes(32).toString("base64"),
      LOG_FILE: join(logDir, "service.log"),
      LOG_LEVEL: "debug",
      ZERO_LOG_DATABASE_DIR: dataDir,
      ZERO_LOG_FOLDERS: [archiveDir, replicaDir, dumpsDir, redisDir, redisReplicaDir].join(","),
    },
  });
  closing.push(() => plane.process.stop(15_000));
  const way = await forwardPort(namespace, { host: "127.0.0.1", port: API_PORT });
  closing.push(() => way.close());
  const url = `http://127.0.0.1:${way.port}`;
  const admin = await setUpAdmin(url, plane.setupLink);
  await eventually(
    async () => {
      const [node] = (await admin.client.nodes.list()).items;
      if (node?.state !== "healthy") throw new Error("the machine's own VPN server is not healthy");
    },
    { timeoutMs: 60_000 },
  );
  await dumpInto(dumpsDir, postgres);
  const tellDatabase = (statements: string) => runIn(postgres, statements);
  return { namespace, url, plane, admin, postgres, redis, tellDatabase };
}

/**
 * Makes a role and its database as docs/zero-log.md says.
 *
 * @returns the database's URL
 */
async function makeRole({ url, access }: ArchivedPostgres): Promise<string> {
  const { query } = access;
  await query(`create role ${ROLE} login replication`);
  await query(`grant pg_monitor, pg_checkpoint to ${ROLE}`);
  await query(`grant set on parameter log_min_messages, log_error_verbosity to ${ROLE}`);
  await query(`create database ${ROLE} owner ${ROLE}`);
  await runIn({ access }, `grant execute on function pg_switch_wal(), pg_current_logfile() to ${ROLE}`);
  const own = new URL(url);
  own.username = ROLE;
  own.pathname = `/${ROLE}`;
  return own.href;
}

/** As a superuser, in the service's database. */
async function runIn({ access }: Pick<ArchivedPostgres, "access">, statements: string): Promise<void> {
  const psql = [...access.connection, `--dbname=${ROLE}`, "--no-psqlrc", "--quiet", "--command"];
  await runOrThrow(join(access.binDir ?? "", "psql"), [...psql, statements]);
}

/** As an operator's nightly job does. */
async function dumpInto(
  dir: string,
  { access: { binDir = "", connection } }: ArchivedPostgres,
): Promise<void> {
  const file = `--file=${join(dir, "nightly.dump")}`;
  await runOrThrow(join(binDir, "pg_dump"), [...connection, "--format=custom", file, ROLE]);
}
