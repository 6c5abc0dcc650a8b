import { relative, resolve } from "node:path";
import type { Database } from "@securewave/database";
import {
  filesSurface,
  logSurface,
  nodeSurface,
  redisAt,
  redisSurfaces,
  type Surface,
  systemLogSurface,
  textsSurface,
} from "@securewave/ghosts";
import type { AuditorOrder, BackupAnswer, BackupControls } from "@securewave/ghosts/auditor-protocol";
import { backupSurfaces } from "./backup-surfaces.ts";
import { checkNode, checkRedis } from "./checks.ts";
import { databaseSurfaces } from "./database-surfaces.ts";
import { type Folder, formOfFolder } from "./folders.ts";
import { PERMITS } from "./permits.ts";

export interface Plan {
  readonly surfaces: readonly Surface[];
  /** What is out of this machine's reach. */
  readonly notCovered: readonly string[];
}

/**
 * @param emptyCable an interface for the node's control; undefined where there are no tunnels
 * @param backUp has the service make a backup
 */
export async function planSurfaces(
  order: AuditorOrder,
  database: Database,
  emptyCable: string | undefined,
  backUp: (controls: BackupControls) => Promise<BackupAnswer>,
): Promise<Plan> {
  const notCovered: string[] = [];
  const leaveOut = (what: string) => void notCovered.push(what);
  const named = order.folders.map((dir, index) => ({ dir, number: index + 1 }));
  const folders = await Promise.all(
    named
      .filter(({ dir }) => resolve(dir) !== order.backups?.target.url)
      .map(async (folder) => ({ ...folder, form: await formOfFolder(folder.dir) })),
  );
  const { surfaces: ofDatabase, taken } = await databaseSurfaces(order, database, folders, leaveOut);
  const surfaces = [
    ...ofDatabase,
    ...redisOf(order, leaveOut),
    ...serviceSurfaces(order, leaveOut),
    ...folderSurfaces(folders.filter((folder) => !taken.has(folder))),
    ...(await metricsSurfaces(order, leaveOut)),
    ...(order.backups === undefined
      ? []
      : await backupSurfaces(
          { backups: order.backups, pool: database.pool, planting: ofDatabase[0]?.id ?? "", backUp },
          leaveOut,
        )),
    ...nodeSurfaces(order, emptyCable, leaveOut),
  ];
  leaveOut(
    "Other VPN servers than one on the service's own machine: of those, each answers for its own settings.",
  );
  leaveOut("Spans that went to a collector, and mails that went to a mail server.");
  return { surfaces, notCovered };
}

function redisOf({ redisUrl }: AuditorOrder, leaveOut: (what: string) => void): Surface[] {
  if (redisUrl === undefined) return [];
  leaveOut(
    "Files of Redis and of its replicas, unless their folders are in ZERO_LOG_FOLDERS: that none are written is read from its settings.",
  );
  return redisSurfaces(redisAt(redisUrl)).map((surface, index) =>
    index > 0
      ? surface
      : {
          ...surface,
          settings: async () => [...(await checkRedis(redisUrl)), ...((await surface.settings?.()) ?? [])],
        },
  );
}

function folderSurfaces(folders: readonly Folder[]): Surface[] {
  return folders.map(({ dir, number }) =>
    filesSurface({
      id: `folder-${number}`,
      title: `Folder ${number} of ZERO_LOG_FOLDERS`,
      rows: [12, 18, 22],
      dir,
      permits: PERMITS,
    }),
  );
}

function serviceSurfaces(order: AuditorOrder, leaveOut: (what: string) => void): Surface[] {
  const { dataDir, logPath, database, backups } = order;
  // What is searched as what it is.
  const others = [database.dataDir, backups?.target.url].flatMap((dir) => {
    const below = dir === undefined || dir.includes("://") ? "" : relative(dataDir, dir);
    return below === "" || below.startsWith("..") ? [] : [below];
  });
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
      without: others,
    }),
    ...(logPath === undefined
      ? []
      : [logSurface({ id: "service-log", title: "Service: log", rows: [19], path: logPath })]),
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
    leaveOut(
      "This machine's kernel, which knows the address of a call for some minutes: it is searched only where ghosts can come from addresses of their own.",
    );
    return [];
  }
  leaveOut(
    "Who called the service, in this machine's kernel: TCP and connection tracking know the address of a call for up to two minutes after it, and of one that broke off for longer. The ghosts' calls end so that seconds are enough, and those are waited for.",
  );
  leaveOut(
    "Counts of bytes of the ghosts, which are too small to be told from other numbers: the twin test compares those.",
  );
  const kernel = nodeSurface({ interfaceName: emptyCable });
  return [{ ...kernel, settings: () => checkNode(node) }, systemLogSurface()];
}
