import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeNamespace } from "./namespace.ts";
import { run } from "./run-program.ts";

/** What we make is named after us, so that a later run knows what one left that was killed. */
export const namespaceName = (index: number) => `swghost-${process.pid}-${index}`;
const NAMESPACE = /^swghost-(\d+)-\d+$/;
const FOLDER = /^securewave-auditor-(\d+)-/;
const ENTRY = fileURLToPath(new URL("./main.ts", import.meta.url));

/** Removes what auditors made that are no more. */
export async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = FOLDER.exec(name)?.[1];
    if (pid !== undefined && !(await isAuditor(pid))) {
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {}); // another user's
    }
  }
  if (process.getuid?.() !== 0 || !existsSync("/run/netns")) return;
  const { stdout } = await run("ip", ["netns", "list"]);
  for (const name of stdout.split("\n").map((line) => line.split(" ")[0] ?? "")) {
    const pid = NAMESPACE.exec(name)?.[1];
    if (pid !== undefined && !(await isAuditor(pid))) await removeNamespace(name);
  }
}

/** All temporary files go below a folder of our own. */
export async function openTemporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), `securewave-auditor-${process.pid}-`));
  process.env.TMPDIR = dir;
  return dir;
}

async function isAuditor(pid: string): Promise<boolean> {
  if (Number(pid) === process.pid) return true;
  const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return words.includes(ENTRY);
}
