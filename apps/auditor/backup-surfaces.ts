import {
  type BackupKind,
  listBackups,
  type Manifest,
  openContent,
  openTarget,
  type Target,
  targetErrors,
} from "@securewave/backup";
import { isRefusalOf } from "@securewave/foundation";
import { type Collecting, type Source, type Surface, textSource } from "@securewave/ghosts";
import type { AuditorBackups, BackupAnswer, BackupControls } from "@securewave/ghosts/auditor-protocol";
import type pg from "pg";
import { createBackupLog } from "./backup-log.ts";
import { PERMITS } from "./permits.ts";

export interface BackupAccess {
  readonly backups: AuditorBackups;
  readonly pool: Pick<pg.Pool, "query">;
  /** The surface whose control is planted in the database, from where it must come into its backup. */
  readonly planting: string;
  /** Has the service make a backup of every kind. */
  readonly backUp: (controls: BackupControls) => Promise<BackupAnswer>;
}

const SEALED = ".age";
const ROWS: Readonly<Record<BackupKind, readonly number[]>> = { database: [12], config: [22], vpn: [22] };

/**
 * The service's sealed backups at their target, opened: those that it makes in the course of the run, when the ghosts
 * are gone, and what has followed of the database's log since the run began.
 */
export async function backupSurfaces(
  { backups, pool, planting, backUp }: BackupAccess,
  leaveOut: (what: string) => void,
): Promise<Surface[]> {
  if (!backups.isOn) {
    leaveOut("Backups of the service, which makes none (BACKUPS); what it sealed before is not opened.");
    return [];
  }
  if (backups.identities.length === 0) {
    leaveOut(
      "What is inside the service's backups: it holds only the key that seals them (BACKUP_RECIPIENT), so that they do not open here. What they are copies of is searched where it lies.",
    );
    return [];
  }
  leaveOut(
    "Backups that were sealed before this search: they cannot hold its ghosts, so that new ones are made and opened.",
  );
  const { target: place, identities, isDatabaseFollowed } = backups;
  const target = await openTarget(place);
  const log = await createBackupLog({ target, identities, pool, archiveSeconds: backups.archiveSeconds });
  const controls = { config: "", vpn: "" };
  let made: Promise<BackupAnswer> | undefined;
  /** Once, when all that ghosts do and all controls are behind. */
  const backUpOnce = () => {
    made ??= log.end().then(() => backUp(controls));
    return made;
  };

  async function* collect(kind: BackupKind, collecting: Collecting): AsyncGenerator<Source> {
    const { backupIds } = await backUpOnce();
    const { backups: all } = await listBackups(target, kind);
    const manifest = all.find(({ id }) => backupIds.includes(id));
    if (manifest === undefined) throw new Error("no backup was made: the service's log says why");
    yield* openedSources(target, manifest, identities);
    yield* unsealedSources(target, `backups/${kind}/`, collecting);
  }
  const common = (kind: BackupKind) => ({
    id: `backup-${kind}`,
    rows: ROWS[kind],
    collect: (collecting: Collecting) => collect(kind, collecting),
  });
  const planted = (kind: "config" | "vpn"): Surface["plant"] => {
    return async ({ ipv4 }) => {
      controls[kind] = `ghost control ${ipv4}`;
      return [{ kind: "ipv4", encoding: "text" }];
    };
  };
  const ofDatabase: Surface[] = [
    { ...common("database"), title: "Backups: database", permits: PERMITS, plant: planting },
    {
      id: "backup-archive",
      title: "Backups: archive of the database's log",
      rows: [12, 15],
      permits: PERMITS,
      plant: planting,
      async *collect(collecting) {
        await backUpOnce();
        yield* log.sources();
        yield* unsealedSources(target, "archive/", collecting);
      },
    },
  ];
  if (!isDatabaseFollowed)
    leaveOut(
      "The backup of the database and its archive, which the service cannot make at present: its health says why.",
    );
  return [
    ...(isDatabaseFollowed ? ofDatabase : []),
    { ...common("config"), title: "Backups: settings", plant: planted("config") },
    { ...common("vpn"), title: "Backups: nodes", permits: PERMITS, plant: planted("vpn") },
  ];
}

function openedSources(target: Target, manifest: Manifest, identities: readonly string[]): Source[] {
  return manifest.objects.map(({ name: sealed }) => {
    const name = sealed.replace(/\.zst\.age$/, "");
    return { name: `${manifest.id}/${name}`, read: () => openContent(target, manifest, name, identities) };
  });
}

/** What lies at the target in plain, of all backups: manifests, heads, the names of objects, and what nobody should put there. */
async function* unsealedSources(
  target: Target,
  prefix: string,
  collecting: Collecting,
): AsyncGenerator<Source> {
  const names: string[] = [];
  for await (const { name } of target.list(prefix)) {
    names.push(name);
    if (!name.endsWith(SEALED)) yield { name, read: () => readPlain(target, name, collecting) };
  }
  yield textSource(`names below ${prefix}`, names.join("\n"));
}

async function* readPlain(target: Target, name: string, collecting: Collecting): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of await target.get(name)) yield Buffer.from(chunk);
  } catch (error) {
    if (!isRefusalOf(error, targetErrors.notFound)) throw error;
    collecting.skip(name, "it was removed meanwhile");
  }
}
