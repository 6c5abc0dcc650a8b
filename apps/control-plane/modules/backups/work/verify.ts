import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import {
  type Manifest,
  readArchives,
  restorableRanges,
  type Target,
  verifyArchive,
  verifyObjects,
  withRestored,
} from "@securewave/backup";
import type { BackupCheck, BackupVerification } from "@securewave/contracts";
import { backupErrors } from "@securewave/contracts/backups";
import { type Clock, SECOND_MS, systemClock } from "@securewave/foundation";
import type { BackupOrder } from "../order.ts";
import { attempt, failed } from "./check.ts";
import { checkContents } from "./contents.ts";
import { loginOf } from "./database.ts";
import { FIGURES } from "./figures.ts";
import { checkRestored } from "./restored.ts";
import type { Said } from "./said.ts";
import { openScratchFolder } from "./scratch.ts";
import { findManifest } from "./target.ts";

type Order = Extract<BackupOrder, { act: "verify" }>;

/** So long after a backup was counted its archive is waited for. */
const ARCHIVE_WAIT_MS = 30 * SECOND_MS;
const ARCHIVE_POLL_MS = 500;

/** Opens a backup and looks whether all is in it; one of the database is restored, started and compared. */
export async function verify(
  order: Order,
  target: Target,
  said: Said,
  clock: Clock = systemClock,
): Promise<BackupVerification> {
  const manifest = await findManifest(target, order.backupId);
  if (manifest === undefined) throw backupErrors.notFound();
  const checks: BackupCheck[] = [];
  const tell = (doing: string, share: number) => void said.emit({ kind: "progress", doing, share });

  tell("read every object", 0.05);
  checks.push(await checkObjects(order, target, manifest));
  if (manifest.kind !== "database") {
    tell("read what is in it", 0.6);
    checks.push(await attempt("contents", () => checkContents(order.keys.identities, target, manifest)));
  } else {
    tell("read the archive", 0.2);
    await archiveReaches(manifest, target, { clock, signal: said.signal });
    const archive = await checkArchive(order, target, manifest);
    checks.push(archive.check);
    tell("restore it", 0.35);
    if (checks.every(({ outcome }) => outcome !== "failed"))
      checks.push(...(await checkDatabase(order, target, manifest, archive.reachesMs, said)));
    else
      checks.push({
        name: "restore",
        outcome: "skipped",
        detail: "What it would be restored from is damaged.",
      });
  }
  const isGood = checks.every(({ outcome }) => outcome !== "failed");
  return {
    backup_id: manifest.id,
    verified_at: `${new Date(clock.now()).toISOString().slice(0, 19)}Z`,
    outcome: isGood ? "passed" : "failed",
    checks,
  };
}

async function checkDatabase(
  order: Order,
  target: Target,
  manifest: Manifest,
  reachesMs: number | undefined,
  { emit, signal }: Said,
): Promise<BackupCheck[]> {
  const countedAtMs = manifest.counts[FIGURES.atMs];
  const isCounted = countedAtMs !== undefined && reachesMs !== undefined && countedAtMs <= reachesMs;
  const scratchDir = await openScratchFolder();
  const checks: BackupCheck[] = [];
  try {
    const options = {
      target,
      identities: order.keys.identities,
      to: isCounted ? new Date(countedAtMs) : ("latest" as const),
      scratchDir,
      baseId: manifest.id,
      login: loginOf(order.database.url),
      signal,
    };
    await withRestored(options, async (connection) => {
      checks.push({
        name: "restore",
        outcome: "passed",
        detail: "It was restored into a server of its own, which started.",
      });
      void emit({ kind: "progress", doing: "check what was restored", share: 0.7 });
      checks.push(...(await checkRestored(connection, manifest, order, isCounted)));
    });
  } catch (error) {
    checks.push(failed("restore", error));
  } finally {
    await rm(scratchDir, { recursive: true, force: true });
  }
  return checks;
}

/** Waits until a backup that was made just now can be restored to the moment at which it was counted. */
async function archiveReaches(
  manifest: Manifest,
  target: Target,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  const countedAtMs = manifest.counts[FIGURES.atMs];
  if (countedAtMs === undefined) return;
  while (clock.now() < countedAtMs + ARCHIVE_WAIT_MS) {
    const reachesMs = restorableRanges([manifest], await readArchives(target))
      .at(-1)
      ?.to.getTime();
    if (reachesMs !== undefined && reachesMs >= countedAtMs) return;
    await pause(ARCHIVE_POLL_MS, undefined, { signal });
  }
}

/** @returns too until when the archive reaches, in milliseconds since 1970 */
async function checkArchive(
  { keys }: Order,
  target: Target,
  manifest: Manifest,
): Promise<{ check: BackupCheck; reachesMs: number | undefined }> {
  let reachesMs: number | undefined;
  const check = await attempt("archive", async () => {
    const { findings, to } = await verifyArchive({ target, bases: [manifest], identities: keys.identities });
    reachesMs = to?.getTime();
    if (findings.length > 0) return { isGood: false, detail: findings.map(({ detail }) => detail).join(" ") };
    const until = to === undefined ? "the end of the backup" : to.toISOString();
    return { isGood: true, detail: `It goes on without a gap until ${until}.` };
  });
  return { check, reachesMs };
}

async function checkObjects({ keys }: Order, target: Target, manifest: Manifest): Promise<BackupCheck> {
  return attempt("objects", async () => {
    const findings = await verifyObjects({ target, manifest, identities: keys.identities });
    if (findings.length > 0) return { isGood: false, detail: findings.map(({ detail }) => detail).join(" ") };
    return {
      isGood: true,
      detail: `All are there, unchanged, and can be opened: ${manifest.objects.length}.`,
    };
  });
}
