import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createIdentity } from "@securewave/backup";
import type { BackupKind, Client } from "@securewave/contracts";
import type { Drill } from "../drill.ts";
import { demand, until } from "./waiting.ts";

/** Settings of a service that backs itself up, and whose keys are kept elsewhere too, as they should be. */
export async function backedUp(drill: Drill): Promise<Readonly<Record<string, string>>> {
  return {
    BACKUPS: "on",
    BACKUP_TARGET: join(drill.dir, "elsewhere", "backups"),
    BACKUP_KEY: (await createIdentity()).identity,
    JWT_SECRET: randomBytes(32).toString("hex"),
    MASTER_KEY: randomBytes(32).toString("base64"),
    DATA_KEY_COPIES: join(drill.dir, "elsewhere", "data.key"),
  };
}

/** Makes a backup as staff do, and waits until it is whole. @returns its id */
export async function backUp(drill: Drill, admin: Client, kind: BackupKind): Promise<string> {
  await admin.backups.start({ body: { kind } });
  const run = await finished(admin);
  const [id] = run.backup_ids;
  demand(run.state === "done" && id !== undefined, `the backup failed: ${run.problem ?? "no reason"}`);
  drill.step(`securewave backup run --kind ${kind}`);
  return id;
}

/** Has a backup restored and looked at. @returns what was found wrong with it; empty where nothing was */
export async function verify(drill: Drill, admin: Client, id: string): Promise<string> {
  await admin.backups.verify({ params: { id } });
  const run = await finished(admin);
  drill.step("securewave backup verify");
  const { verification } = await admin.backups.show({ params: { id } });
  if (run.state !== "done" && verification === null) return run.problem ?? "it failed";
  const failed = verification?.checks.filter(({ outcome }) => outcome === "failed") ?? [];
  if (verification?.outcome === "passed") return "";
  return failed.map(({ name, detail }) => `${name}: ${detail}`).join("; ") || (run.problem ?? "it failed");
}

async function finished(admin: Client) {
  return until("the backup's work", async () => {
    const { run } = await admin.backups.run();
    demand(run !== null && run.state !== "running", "it goes on");
    return run;
  });
}

/** Waits until the archive is followed. */
export async function followed(admin: Client): Promise<void> {
  await until("the archive being followed", async () => {
    const { archive } = await admin.backups.state();
    demand(archive.state === "following", archive.problem ?? archive.state);
  });
}

/**
 * Waits until all that was acknowledged before the call is in the archive.
 *
 * @returns when it was called, in the time of `performance.now()`
 */
export async function archived(admin: Client): Promise<number> {
  const [atMs, calledMs] = [Date.now(), performance.now()];
  await until("the archive", async () => {
    const { archive } = await admin.backups.state();
    const to = archive.restorable_to === null ? 0 : Date.parse(archive.restorable_to);
    demand(to >= atMs, archive.problem ?? `it is at ${archive.restorable_to}`);
  });
  return calledMs;
}
