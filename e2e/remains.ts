import { readdir, readFile, readlink } from "node:fs/promises";

/**
 * What programs still have to do with a folder: their arguments, or their working folder, name it.
 *
 * @returns one line each, `pid program`
 */
export async function processesOf(dir: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [command, cwd] = await Promise.all([
        readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""),
        readlink(`/proc/${pid}/cwd`).catch(() => ""),
      ]);
      const isOf = command.includes(dir) || cwd.startsWith(dir);
      return isOf ? `${pid} ${command.split("\0").slice(0, 3).join(" ")}` : undefined;
    }),
  );
  return found.filter((line) => line !== undefined);
}
