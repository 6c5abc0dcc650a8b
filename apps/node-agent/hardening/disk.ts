import { dirname, join } from "node:path";
import { runProgram } from "../run-program.ts";
import { type Demand, type Finding, failed, met } from "./demand.ts";
import { readText, wireguardProcesses } from "./processes.ts";

export interface DiskOptions {
  readonly interfaceName: string;
  /** For tests: where the kernel's file systems are. */
  readonly proc?: string;
  readonly sys?: string;
}

/** What the agent and WireGuard have in memory reaches no disk. */
export function diskDemands(options: DiskOptions): Demand[] {
  return [swapDemand(options), coreDemand(options), crashKernelDemand(options)];
}

async function processesOf({ interfaceName, proc = "/proc" }: DiskOptions): Promise<string[]> {
  return ["self", ...(await wireguardProcesses(interfaceName, proc))];
}

function swapDemand(options: DiskOptions): Demand {
  const { proc = "/proc", sys = "/sys" } = options;
  return {
    id: "swap",
    why: "memory with customers' addresses could be written to a disk",
    isEssential: true,
    async check() {
      const devices = (await readText(join(proc, "swaps")))
        .split("\n")
        .slice(1)
        .flatMap((line) => line.split(/\s+/)[0] || []);
      const onDisk = [];
      for (const device of devices) if (!(await isInMemory(device, sys))) onDisk.push(device);
      if (onDisk.length === 0) return met;
      const limited = await Promise.all(
        (await processesOf(options)).map((pid) => isKeptFromSwap(pid, proc, sys)),
      );
      if (limited.every(Boolean)) return met;
      return failed(
        "This machine swaps to a disk. Run swapoff -a and take the entry out of /etc/fstab, or run the agent as the service with MemorySwapMax=0",
      );
    },
  };
}

/** Compressed memory as swap, without a disk behind it. */
async function isInMemory(device: string, sys: string): Promise<boolean> {
  const [, name] = /^\/dev\/(zram\d+)$/.exec(device) ?? [];
  if (name === undefined) return false;
  const backing = (await readText(join(sys, "block", name, "backing_dev"))).trim();
  return backing === "" || backing === "none";
}

/** Whether the control group of a process, or one above it, may not swap. @see cgroup-v2, memory.swap.max */
async function isKeptFromSwap(pid: string, proc: string, sys: string): Promise<boolean> {
  const [, group] = /^0::(\/.*)$/m.exec(await readText(join(proc, pid, "cgroup"))) ?? [];
  for (let path = group; path !== undefined && path !== "/"; path = dirname(path)) {
    const most = await readText(join(sys, "fs/cgroup", path, "memory.swap.max"));
    if (most.trim() === "0") return true;
  }
  return false;
}

/** These look at the limit of the process that crashed, and keep nothing when it is 0. */
const HONEST_HANDLERS = /^\|\S*\/(?:systemd-coredump|apport)\s/;

/**
 * The limit 1 keeps the kernel from writing a file, since no dump is that short, and from starting a program that
 * `core_pattern` names, which the limit 0 would not.
 *
 * @see core(5); linux/fs/coredump.c
 */
function coreDemand(options: DiskOptions): Demand {
  const { proc = "/proc" } = options;

  async function checkProcess(pid: string): Promise<Finding> {
    const limits = await readText(join(proc, pid, "limits"));
    const [, soft] = /^Max core file size\s+(\S+)/m.exec(limits) ?? [];
    if (soft === undefined || soft === "1") return met;
    const pattern = await readText(join(proc, "sys/kernel/core_pattern"));
    if (soft === "0" && (!pattern.startsWith("|") || HONEST_HANDLERS.test(pattern))) return met;
    return failed(
      "A crash would leave memory on a disk. Start the agent with ulimit -c 0, or install prlimit (util-linux)",
    );
  }

  return {
    id: "core-dumps",
    why: "a crash would write memory to a disk",
    isEssential: true,
    async check() {
      for (const pid of await processesOf(options)) {
        const finding = await checkProcess(pid);
        if (finding.state !== "met") return finding;
      }
      return met;
    },
    /** Programs that the agent starts inherit the limit. */
    async apply() {
      for (const pid of await processesOf(options)) {
        const number = pid === "self" ? String(process.pid) : pid;
        await runProgram("prlimit", ["--pid", number, "--core=1:1"]).catch(() => undefined);
      }
      // Node's own report of a crash lists the sockets.
      if (process.report) Object.assign(process.report, NO_REPORTS);
    },
  };
}

const NO_REPORTS = { reportOnFatalError: false, reportOnSignal: false, reportOnUncaughtException: false };

function crashKernelDemand({ sys = "/sys" }: DiskOptions): Demand {
  return {
    id: "crash-kernel",
    why: "a crash of the kernel would write all memory to a disk",
    isEssential: true,
    async check() {
      const isLoaded = (await readText(join(sys, "kernel/kexec_crash_loaded"))).trim() === "1";
      return isLoaded
        ? failed(
            "A crash kernel is loaded, which would save the kernel's memory. Remove it: apt-get remove kdump-tools",
          )
        : met;
    },
  };
}
