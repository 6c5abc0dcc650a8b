import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { relative } from "node:path";
import type { Database } from "@securewave/database";
import {
  type CheckedSetting,
  filesSurface,
  type Kind,
  logSurface,
  nodeSurface,
  type PostgresAccess,
  postgresSurfaces,
  redisSurfaces,
  type Surface,
  systemLogSurface,
  textsSurface,
} from "@securewave/ghosts";
import type { AuditorOrder } from "@securewave/ghosts/auditor-protocol";
import { checkLogging, checkNode, checkRedis, checkSchema } from "./checks.ts";
import { run } from "./run-program.ts";

export interface Plan {
  readonly surfaces: readonly Surface[];
  /** What is out of this machine's reach. */
  readonly notCovered: readonly string[];
}

const KEPT =
  "a device's key and tunnel address are kept until it is removed, and in the write-ahead log for a while longer";
const PERMITS: Readonly<Partial<Record<Kind, string>>> = {
  public_key: KEPT,
  tunnel_ipv4: KEPT,
  tunnel_ipv6: KEPT,
};
/** A base backup is as large as the database, and what it holds of the write-ahead log comes on top. */
const SPARE_BYTES = 2 ** 30;
/** Answer of PostgreSQL to those who are no superuser: insufficient_privilege. */
const NOT_ALLOWED = "42501";

/** @param emptyCable an interface for the node's control; undefined where there are no tunnels */
export async function planSurfaces(
  order: AuditorOrder,
  database: Database,
  emptyCable: string | undefined,
): Promise<Plan> {
  const notCovered: string[] = [];
  const leaveOut = (what: string) => void notCovered.push(what);
  const surfaces = [
    ...(await databaseSurfaces(order, database, leaveOut)),
    ...redisOf(order),
    ...serviceSurfaces(order, leaveOut),
    ...(await metricsSurfaces(order, leaveOut)),
    ...nodeSurfaces(order, emptyCable, leaveOut),
  ];
  leaveOut(
    "Other VPN servers than one on the service's own machine: of those, each answers for its own settings.",
  );
  leaveOut("Traces that went to a collector, and mails that went to a mail server.");
  return { surfaces, notCovered };
}

async function databaseSurfaces(
  { database: settings }: AuditorOrder,
  { pool }: Database,
  leaveOut: (what: string) => void,
): Promise<Surface[]> {
  const { url, dataDir, hasTools } = settings;
  const checked = [...(await checkSchema(pool)), ...(await checkLogging(pool))];
  const [facts] = (
    await pool.query(
      `select current_setting('server_version_num')::int / 10000 as major, rolreplication or rolsuper as copies,
        (select sum(pg_database_size(oid)) from pg_database)::text as bytes from pg_roles where rolname = current_user`,
    )
  ).rows;
  const isLeftOut = new Set<string>();
  if (dataDir === undefined) {
    for (const id of ["postgres-data", "postgres-wal"]) isLeftOut.add(id);
    leaveOut(
      "The files of PostgreSQL, which are on another machine (ZERO_LOG_DATABASE_DIR names them where they are not).",
    );
  }
  const tools = hasTools ? await versionOf("pg_dump") : undefined;
  if (tools === undefined || tools < Number(facts?.major)) {
    for (const id of ["postgres-dump", "postgres-base-backup"]) isLeftOut.add(id);
    leaveOut(
      "Dumps and base backups of PostgreSQL: its programs for that are not on this machine. What they copy is searched where it lies, but for what is said above.",
    );
  } else if (facts?.copies !== true || (await freeBytes()) < 2 * Number(facts.bytes) + SPARE_BYTES) {
    isLeftOut.add("postgres-base-backup");
    leaveOut("A base backup of PostgreSQL: the service may not make one, or there is no room for it.");
  }
  const access: PostgresAccess = {
    query: async (statement, values) => {
      try {
        return (await pool.query(statement, values ? [...values] : [])).rows;
      } catch (error) {
        const isHousekeeping = /^(checkpoint|select pg_switch_wal\(\))$/.test(statement);
        if (isHousekeeping && error instanceof Error && "code" in error && error.code === NOT_ALLOWED)
          return [];
        throw error;
      }
    },
    ...connectionOf(url),
    dataDir: dataDir ?? "",
    permits: PERMITS,
  };
  return carried(postgresSurfaces(access), isLeftOut, checked);
}

/** Leaves surfaces out; the first that is left then has the control and the settings of them all. */
function carried(
  all: readonly Surface[],
  isLeftOut: ReadonlySet<string>,
  checked: readonly CheckedSetting[],
): Surface[] {
  const [main] = all;
  const left = all.filter(({ id }) => !isLeftOut.has(id));
  return left.map((surface, index) => {
    if (main === undefined || (index > 0 && typeof surface.plant === "function")) return surface;
    if (index > 0) return { ...surface, plant: left[0]?.id ?? "" };
    return {
      ...surface,
      plant: main.plant,
      clear: async () => await main.clear?.(),
      settings: async () => [...checked, ...((await main.settings?.()) ?? [])],
    };
  });
}

function connectionOf(url: string): Pick<PostgresAccess, "connection" | "env"> {
  const { hostname, port, username, password } = new URL(url);
  return {
    connection: [
      `--host=${decodeURIComponent(hostname)}`,
      `--port=${port || 5432}`,
      `--username=${decodeURIComponent(username)}`,
    ],
    env: { PGPASSWORD: decodeURIComponent(password) },
  };
}

async function versionOf(program: string): Promise<number | undefined> {
  const { code, stdout } = await run(program, ["--version"]);
  const version = /(\d+)(?:\.\d+)?/.exec(stdout)?.[1];
  return code === 0 && version !== undefined ? Number(version) : undefined;
}

async function freeBytes(): Promise<number> {
  const { bavail, bsize } = await statfs(tmpdir());
  return bavail * bsize;
}

function redisOf({ redisUrl }: AuditorOrder): Surface[] {
  if (redisUrl === undefined) return [];
  const { hostname, port, password } = new URL(redisUrl);
  const at = {
    host: hostname,
    port: Number(port || 6379),
    ...(password && { password: decodeURIComponent(password) }),
  };
  return redisSurfaces(at).map((surface, index) =>
    index > 0
      ? surface
      : {
          ...surface,
          settings: async () => [...(await checkRedis(redisUrl)), ...((await surface.settings?.()) ?? [])],
        },
  );
}

function serviceSurfaces(order: AuditorOrder, leaveOut: (what: string) => void): Surface[] {
  const { dataDir, folders, logPath, database } = order;
  const store = database.dataDir === undefined ? "" : relative(dataDir, database.dataDir);
  const isBelow = store !== "" && !store.startsWith("..");
  if (logPath === undefined)
    leaveOut(
      "The service's log, which goes to standard output and to whoever keeps that (LOG_FILE gives it a file).",
    );
  return [
    filesSurface({
      id: "service-files",
      title: "Service: data folder",
      rows: [19, 22],
      dir: dataDir,
      ...(isBelow && { without: [store] }),
    }),
    ...(logPath === undefined
      ? []
      : [logSurface({ id: "service-log", title: "Service: log", rows: [19], path: logPath })]),
    ...folders.map((dir, index) =>
      filesSurface({
        id: `folder-${index + 1}`,
        title: `Folder ${index + 1} of ZERO_LOG_FOLDERS`,
        rows: [12, 22],
        dir,
        permits: PERMITS,
      }),
    ),
  ];
}

async function metricsSurfaces(
  { metricsUrl }: AuditorOrder,
  leaveOut: (what: string) => void,
): Promise<Surface[]> {
  const read = async (url: string) => [{ name: "metrics", content: await (await fetch(url)).text() }];
  const isThere = metricsUrl !== undefined && (await read(metricsUrl).catch(() => undefined)) !== undefined;
  if (isThere)
    return [
      textsSurface({
        id: "service-metrics",
        title: "Service: metrics",
        rows: [20],
        read: () => read(metricsUrl),
      }),
    ];
  leaveOut("Metrics, whose port does not answer.");
  return [];
}

function nodeSurfaces(
  { node }: AuditorOrder,
  emptyCable: string | undefined,
  leaveOut: (what: string) => void,
): Surface[] {
  if (node === undefined || emptyCable === undefined) {
    leaveOut(
      "Tunnels: there is no VPN server on this machine that the ghosts could use, so they only called the service.",
    );
    return [];
  }
  leaveOut(
    "Tunnel addresses, which are short and handed out again: a match would prove nothing. Where they may be kept, the list of what is kept says.",
  );
  leaveOut(
    "Counts of bytes of the ghosts, which are too small to be told from other numbers: the twin test compares those.",
  );
  const kernel = nodeSurface({ interfaceName: emptyCable });
  return [{ ...kernel, settings: () => checkNode(node) }, systemLogSurface()];
}
