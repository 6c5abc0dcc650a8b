import { randomBytes } from "node:crypto";
import { type Clock, SECOND_MS } from "@securewave/foundation";
import { backupErrors } from "./errors.ts";
import { readObject, type Target } from "./targets/target.ts";

export const BACKUP_KINDS = ["database", "config", "vpn"] as const;
export type BackupKind = (typeof BACKUP_KINDS)[number];

/** One sealed object of a backup. */
export interface BackupObject {
  readonly name: string;
  /** As it is kept. */
  readonly bytes: number;
  /** Of the sealed bytes, in hex: found changed without any key. */
  readonly sha256: string;
  /** Before it was compressed and sealed. */
  readonly plainBytes: number;
}

/** Where in PostgreSQL's log a base stands. Positions as PostgreSQL writes them: `0/3000148`. */
export interface BasePosition {
  readonly systemId: string;
  readonly timeline: number;
  readonly startLsn: string;
  /** From here on, any position can be restored to. */
  readonly stopLsn: string;
  /** Bytes of a segment of the log. */
  readonly segmentBytes: number;
  /** The major version, whose programs a restore needs. */
  readonly postgresMajor: string;
}

/** What a backup is. It holds nothing about anybody, and is written last. */
export interface Manifest {
  readonly format: 1;
  readonly id: string;
  readonly kind: BackupKind;
  /** A UTC second; that of a base is when it ended, from which on it can be restored to. */
  readonly takenAt: string;
  /** Of SecureWave. */
  readonly version: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly objects: readonly BackupObject[];
  readonly base?: BasePosition;
}

export interface NewManifest extends Omit<Manifest, "format"> {}

const PREFIX = "backups/";
const ID = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[a-z0-9]{8}$/;
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";

export function createBackupId(clock: Clock): string {
  const second = secondOf(clock.now()).replace(/[-:]/g, "");
  return `${second}-${[...randomBytes(8)].map((byte) => LETTERS[byte % LETTERS.length]).join("")}`;
}

export function isBackupId(text: string): boolean {
  return ID.test(text);
}

/** When the backup of an id was begun, in milliseconds since 1970. */
export function beganAt(id: string): number {
  return Date.parse(id.replace(ID, "$1-$2-$3T$4:$5:$6Z"));
}

/** An instant as `2026-11-22T02:00:00Z`. */
export function secondOf(instantMs: number): string {
  return `${new Date(Math.floor(instantMs / SECOND_MS) * SECOND_MS).toISOString().slice(0, 19)}Z`;
}

export function folderOf(kind: BackupKind, id: string): string {
  return `${PREFIX}${kind}/${id}/`;
}

export async function writeManifest(target: Target, manifest: NewManifest): Promise<Manifest> {
  const whole: Manifest = { format: 1, ...manifest };
  const text = `${JSON.stringify(whole, undefined, 1)}\n`;
  await target.put(`${folderOf(whole.kind, whole.id)}manifest.json`, [Buffer.from(text)]);
  return whole;
}

/** @throws backup.not_found, backup.damaged */
export async function readManifest(target: Target, kind: BackupKind, id: string): Promise<Manifest> {
  const name = `${folderOf(kind, id)}manifest.json`;
  if (!isBackupId(id) || (await target.find(name)) === undefined) throw backupErrors.notFound();
  const manifest = parseManifest((await readObject(target, name)).toString());
  if (manifest === undefined || manifest.id !== id || manifest.kind !== kind) {
    throw backupErrors.damaged({ detail: `${name} is no manifest. Restore from another backup.` });
  }
  return manifest;
}

/** What the target has of a kind, the newest first. Manifests that cannot be read are listed apart. */
export async function listBackups(
  target: Target,
  kind: BackupKind,
): Promise<{ backups: Manifest[]; unfinished: string[]; damaged: string[] }> {
  const ids = new Map<string, boolean>();
  const prefix = `${PREFIX}${kind}/`;
  for await (const { name } of target.list(prefix)) {
    const [id = "", file] = name.slice(prefix.length).split("/");
    if (isBackupId(id)) ids.set(id, ids.get(id) === true || file === "manifest.json");
  }
  const backups: Manifest[] = [];
  const damaged: string[] = [];
  for (const [id, isWhole] of ids) {
    if (!isWhole) continue;
    try {
      backups.push(await readManifest(target, kind, id));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === backupErrors.damaged.code))
        throw error;
      damaged.push(id);
    }
  }
  backups.sort((one, other) => (one.takenAt + one.id < other.takenAt + other.id ? 1 : -1));
  return { backups, unfinished: [...ids].filter(([, isWhole]) => !isWhole).map(([id]) => id), damaged };
}

/** Removes a backup: its manifest first, so that what is left of it is none. */
export async function removeBackup(target: Target, kind: BackupKind, id: string): Promise<void> {
  const folder = folderOf(kind, id);
  await target.remove(`${folder}manifest.json`);
  const names = (await Array.fromAsync(target.list(folder))).map(({ name }) => name);
  for (const name of names) await target.remove(name);
  await target.removeUnfinished(folder);
}

/** @returns undefined when the text is no manifest that this version understands */
export function parseManifest(text: string): Manifest | undefined {
  const value = parseJson(text);
  if (!isRecord(value) || value.format !== 1) return undefined;
  const isSound =
    typeof value.id === "string" &&
    isBackupId(value.id) &&
    BACKUP_KINDS.some((kind) => kind === value.kind) &&
    typeof value.takenAt === "string" &&
    Number.isFinite(Date.parse(value.takenAt)) &&
    typeof value.version === "string" &&
    isRecord(value.counts) &&
    Object.values(value.counts).every(isCount) &&
    Array.isArray(value.objects) &&
    value.objects.every(isObject) &&
    (value.kind === "database" ? isBase(value.base) : value.base === undefined);
  return isSound ? (value as unknown as Manifest) : undefined;
}

function isObject(value: unknown): boolean {
  return (
    isRecord(value) &&
    typeof value.name === "string" &&
    /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(value.name) &&
    typeof value.sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(value.sha256) &&
    isCount(value.bytes) &&
    isCount(value.plainBytes)
  );
}

function isBase(value: unknown): boolean {
  return (
    isRecord(value) &&
    typeof value.systemId === "string" &&
    /^\d+$/.test(value.systemId) &&
    isCount(value.timeline) &&
    isCount(value.segmentBytes) &&
    [value.startLsn, value.stopLsn].every(
      (lsn) => typeof lsn === "string" && /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i.test(lsn),
    ) &&
    typeof value.postgresMajor === "string" &&
    /^\d+$/.test(value.postgresMajor)
  );
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
