/** Works on backups once, in a process of its own; `../order.ts` says how it is talked with. */
import { setPriority } from "node:os";
import { createInterface } from "node:readline";
import { listBackups, openTarget, removeBackup, type Target } from "@securewave/backup";
import { BACKUP_KINDS, type BackupKind } from "@securewave/contracts/backups";
import { RefusalError, systemClock } from "@securewave/foundation";
import type { BackupEvent, BackupOrder, KnownBackup } from "../order.ts";
import type { Said } from "./said.ts";
import { removeScratch } from "./scratch.ts";
import { knownOf } from "./target.ts";

/** Lower than whatever serves customers: setpriority(2). */
const PRIORITY = 10;

/** What is asked to stop does so; what cannot leaves what the next clean-up removes. */
const ENDS_WITHIN_MS = 15_000;

await main();

async function main(): Promise<void> {
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stopping.abort());
  const input = createInterface({ input: process.stdin });
  const first = new Promise<string | undefined>((resolve) => {
    input.once("line", resolve);
    input.once("close", () => resolve(undefined));
  });
  const line = await first;
  if (line === undefined) process.exit(2);
  input.once("close", () => stopping.abort()); // whoever asked is gone
  stopping.signal.addEventListener("abort", () => setTimeout(() => process.exit(1), ENDS_WITHIN_MS).unref());
  setPriority(PRIORITY);
  try {
    await removeScratch();
    await carryOut(JSON.parse(line) as BackupOrder, stopping.signal); // it comes from a process of the same version
    process.exit(0);
  } catch (error) {
    await emit(failureOf("backups", error));
    process.exit(1);
  }
}

async function carryOut(order: BackupOrder, signal: AbortSignal): Promise<void> {
  const target = await openTarget(order.target);
  let hasFailed = false;
  const said: Said = {
    emit,
    failed(what, error) {
      hasFailed = true;
      return emit(failureOf(what, error));
    },
    signal,
  };
  // Each act loads what it needs, and no more.
  if (order.act === "back_up") {
    const { backUp } = await import("./back-up.ts");
    await backUp(order, target, said);
  } else if (order.act === "verify") {
    const { verify } = await import("./verify.ts");
    await emit({ kind: "verified", verification: await verify(order, target, said) });
  } else if (order.backupIds !== undefined) {
    await emit({ kind: "removed", backupIds: await removeEarly(target, order.backupIds) });
  } else {
    const { cleanUp } = await import("@securewave/backup");
    const { removed } = await cleanUp({ target, keepDays: order.retentionDays, clock: systemClock });
    await emit({ kind: "removed", backupIds: removed });
  }
  try {
    await emit({ kind: "holds", ...(await listAll(target)) });
  } catch (error) {
    if (!hasFailed) throw error; // what is wrong with the target was said
  }
}

/** The last backup of a kind stays, whoever asks. */
async function removeEarly(target: Target, backupIds: readonly string[]): Promise<string[]> {
  const removed: string[] = [];
  for (const kind of BACKUP_KINDS) {
    const ids = (await listBackups(target, kind)).backups.map(({ id }) => id);
    if (!ids.some((id) => !backupIds.includes(id))) continue;
    for (const id of ids.filter((each) => backupIds.includes(each))) {
      await removeBackup(target, kind, id);
      removed.push(id);
    }
  }
  return removed;
}

async function listAll(target: Target): Promise<{ backups: KnownBackup[]; damaged: string[] }> {
  const lists = await Promise.all(BACKUP_KINDS.map((kind: BackupKind) => listBackups(target, kind)));
  return {
    backups: lists.flatMap(({ backups }) => backups).map(knownOf),
    damaged: lists.flatMap(({ damaged }) => damaged),
  };
}

/** Resolves when it is on its way, so that the process may end. */
function emit(event: BackupEvent): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(`${JSON.stringify(event)}\n`, () => resolve());
  });
}

/** Refusals say what to do; what else went wrong may quote what was read, and is named by its code alone. */
function failureOf(what: string, error: unknown): BackupEvent {
  if (error instanceof RefusalError)
    return { kind: "failed", what, code: error.code, problem: error.message };
  const code =
    error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
  return { kind: "failed", what, code, problem: `It broke off (${code}).` };
}
