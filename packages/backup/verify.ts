import { createHash } from "node:crypto";
import { RefusalError } from "@securewave/foundation";
import { type ArchivePiece, HASH_LETTERS, readArchives } from "./archiving/pieces.ts";
import { lsnText } from "./database/lsn.ts";
import { sealErrors, targetErrors } from "./errors.ts";
import { folderOf, type Manifest } from "./manifest.ts";
import { openPiece } from "./restoring/log-files.ts";
import { coverageOf } from "./restoring/plan.ts";
import { getOpened } from "./sealing/object.ts";
import type { Target } from "./targets/target.ts";

/** Something wrong with what is kept. */
export interface Finding {
  readonly what: "missing" | "changed" | "unreadable" | "gap";
  /** The object, or where the gap is. */
  readonly name: string;
  /** A sentence for people. */
  readonly detail: string;
}

export interface VerifyObjectsOptions {
  readonly target: Target;
  readonly manifest: Manifest;
  /** Opens and expands each object as well, where there are some. */
  readonly identities?: readonly string[] | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Reads each object of a backup and holds it against the manifest. */
export async function verifyObjects(options: VerifyObjectsOptions): Promise<Finding[]> {
  const { target, manifest, identities, onProgress } = options;
  const findings: Finding[] = [];
  for (const [at, object] of manifest.objects.entries()) {
    const name = `${folderOf(manifest.kind, manifest.id)}${object.name}`;
    const finding =
      (await compareHash(target, name, object.sha256)) ??
      (identities && (await opens(name, () => countPlain(target, name, identities, object.plainBytes))));
    if (finding) findings.push(finding);
    onProgress?.(at + 1, manifest.objects.length);
  }
  return findings;
}

export interface VerifyArchiveOptions {
  readonly target: Target;
  /** From whose ends on the archive is to be whole. */
  readonly bases: readonly Manifest[];
  readonly identities?: readonly string[] | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * Reads every piece that leads on from the bases, and looks for holes between them.
 *
 * @returns also to which instant the newest base can be restored
 */
export async function verifyArchive(
  options: VerifyArchiveOptions,
): Promise<{ findings: Finding[]; to: Date | undefined }> {
  const { target, bases, identities, onProgress } = options;
  const archives = await readArchives(target);
  const findings: Finding[] = [];
  const pieces = new Map<string, ArchivePiece>();
  let to: Date | undefined;
  for (const base of bases) {
    const archive = archives.find(({ systemId }) => systemId === base.base?.systemId);
    const covered = coverageOf(base, archive);
    for (const piece of covered.pieces) pieces.set(piece.name, piece);
    const wholeTo = new Date(covered.wholeTo);
    if (to === undefined || wholeTo > to) to = wholeTo;
    if (covered.gap === undefined) continue;
    const range = `${lsnText(covered.gap.from)} to ${lsnText(covered.gap.to)}`;
    findings.push({
      what: "gap",
      name: range,
      detail: `The archive behind the backup ${base.id} has a gap from ${range}. Take a new base.`,
    });
  }
  let done = 0;
  for (const piece of pieces.values()) {
    const finding =
      (await compareHash(target, piece.name, piece.hash)) ??
      (identities && (await opens(piece.name, () => openPiece(target, piece, identities))));
    if (finding) findings.push(finding);
    onProgress?.(++done, pieces.size);
  }
  return { findings, to };
}

async function compareHash(target: Target, name: string, expected: string): Promise<Finding | undefined> {
  const hash = createHash("sha256");
  try {
    for await (const part of await target.get(name)) hash.update(part);
  } catch (error) {
    if (!isRefusal(error, targetErrors.notFound.code)) throw error;
    return { what: "missing", name, detail: `${name} is missing.` };
  }
  const found = hash.digest("hex");
  const isSame = expected.length === HASH_LETTERS ? found.startsWith(expected) : found === expected;
  return isSame
    ? undefined
    : { what: "changed", name, detail: `${name} is not what was written: its SHA-256 is another.` };
}

async function opens(name: string, work: () => Promise<unknown>): Promise<Finding | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    // A wrong key says nothing about the object.
    if (!(error instanceof RefusalError) || error.code === sealErrors.wrongKey.code) throw error;
    return { what: "unreadable", name, detail: error.message };
  }
}

async function countPlain(
  target: Target,
  name: string,
  identities: readonly string[],
  expected: number,
): Promise<void> {
  let bytes = 0;
  for await (const part of getOpened(target, name, identities)) bytes += part.length;
  if (bytes !== expected)
    throw sealErrors.damaged({ detail: `${name} has another length than its manifest says.` });
}

function isRefusal(error: unknown, code: string): boolean {
  return error instanceof RefusalError && error.code === code;
}
