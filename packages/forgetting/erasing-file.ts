import { chmod, type FileHandle, mkdir, open, readFile, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const WRITING_SUFFIX = ".new";
/** https://bford.info/cachedir/: programs that make backups leave out a folder with this file. */
const TAG = "CACHEDIR.TAG";
const TAG_TEXT = `Signature: 8a477f597d28d172789f06886806bc55
# Nothing below this folder may be in a backup. See README.txt.
`;
const README = "README.txt";
const README_TEXT = `No backup may read this folder.

The keys in here forget: the ledger's key is replaced every day, and deleting a person's account
destroys that person's key. This makes data unreadable in every backup of the database at once, which
holds only while no backup, snapshot or copy of the machine has the keys of an earlier day.

Copies of data.key are safe where SecureWave itself keeps them up to date (DATA_KEY_COPIES).
`;

/** What happened so far of one replacement, for tests that end the process there. */
export type Step = "began" | "written" | "renamed" | "overwritten";

/** @returns undefined when there is no such file */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}

/**
 * Replaces a file so that a crash leaves the former or the latter, whole; then overwrites where the
 * former stood. Mode 0600; both file and folder are on the disk when it resolves.
 *
 * Whether overwriting reaches the old blocks is the file system's affair: it does on ext4 and XFS, not on
 * those that write elsewhere (Btrfs, ZFS) and not below an SSD's own mapping.
 */
export async function replaceFile(
  path: string,
  bytes: Uint8Array,
  onStep: (step: Step) => void = () => {},
): Promise<void> {
  const writing = path + WRITING_SUFFIX;
  onStep("began");
  await using file = await open(writing, "w", FILE_MODE);
  await chmod(writing, FILE_MODE); // one that a crash left behind keeps its mode otherwise
  await file.writeFile(bytes);
  await file.sync();
  onStep("written");
  await using former = await open(path, "r+").catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  await rename(writing, path);
  await syncFolder(dirname(path));
  onStep("renamed");
  if (former) await overwrite(former);
  onStep("overwritten");
}

/** Removes what a crash left of a replacement that did not come to its end. */
export async function removeUnfinished(path: string): Promise<void> {
  const writing = path + WRITING_SUFFIX;
  await using file = await open(writing, "r+").catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (!file) return;
  await overwrite(file);
  await unlink(writing);
  await syncFolder(dirname(path));
}

/**
 * Makes the folder of a key where there is none, and tells backups to leave it out. A folder that was
 * there is somebody else's, who may want the rest of it in backups.
 */
export async function prepareFolder(path: string): Promise<void> {
  const dir = dirname(path);
  const made = await mkdir(dir, { recursive: true, mode: FOLDER_MODE });
  const isOurs =
    made !== undefined || (await readIfThere(join(dir, README)))?.equals(Buffer.from(README_TEXT));
  if (!isOurs) return;
  // The tag first: the other text marks the folder as complete.
  for (const [name, text] of [
    [TAG, TAG_TEXT],
    [README, README_TEXT],
  ] as const) {
    const isThere = await readIfThere(join(dir, name));
    if (!isThere) await replaceFile(join(dir, name), Buffer.from(text));
  }
  if (made !== undefined) await syncFolder(dirname(made));
}

/** Safe to log: what the system called it, without the path. */
export function describeFileError(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}

export function nameOf(path: string): string {
  return basename(path);
}

async function overwrite(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  await file.write(Buffer.alloc(size), 0, size, 0);
  await file.sync();
}

async function syncFolder(dir: string): Promise<void> {
  await using folder = await open(dir, "r");
  await folder.sync();
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
