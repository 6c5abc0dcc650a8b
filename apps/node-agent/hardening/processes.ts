import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";

/** The wireguard-go processes that hold an interface; none with the kernel's WireGuard. */
export async function wireguardProcesses(interfaceName: string, proc = "/proc"): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir(proc)).filter((name) => /^\d+$/.test(name))) {
    if ((await readText(join(proc, pid, "comm"))).trim() !== "wireguard-go") continue;
    const words = (await readText(join(proc, pid, "cmdline"))).split("\0");
    if (words.includes(interfaceName)) found.push(pid);
  }
  return found;
}

/** Whether a process can write nothing of a log anywhere, or was told to write none. */
export async function isSilent(pid: string, proc = "/proc"): Promise<boolean> {
  const environment = (await readText(join(proc, pid, "environ"))).split("\0");
  if (environment.includes("LOG_LEVEL=silent")) return true;
  const outputs = await Promise.all(
    ["1", "2"].map((fd) => readlink(join(proc, pid, "fd", fd)).catch(() => "")),
  );
  return outputs.every((target) => target === "/dev/null");
}

export async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
