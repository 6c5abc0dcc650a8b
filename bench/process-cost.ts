import { readFileSync } from "node:fs";

/** `sysconf(_SC_CLK_TCK)`, 100 on every Linux that Node runs on: proc_pid_stat(5). */
const TICKS_PER_SECOND = 100;

/** A process and all below it. */
export function processTree(pid: number): number[] {
  const children = readProc(`${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
  return [pid, ...children.flatMap(processTree)];
}

/** CPU time of processes, and of their children that have ended. */
export function cpuMs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    // The program's name, in parentheses, may hold anything.
    const fields = readProc(`${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
    for (const field of fields.slice(11, 15)) ticks += Number(field);
  }
  return (ticks * 1000) / TICKS_PER_SECOND;
}

/** Resident memory of one process, with what it shares. */
export function rssMb(pid: number): number {
  return kilobytes(readProc(`${pid}/status`), "VmRSS") / 1024;
}

/** The most resident memory that one process ever had. */
export function peakRssMb(pid: number): number {
  return kilobytes(readProc(`${pid}/status`), "VmHWM") / 1024;
}

/** Proportional memory of processes: what several share counts once. */
export function pssMb(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + kilobytes(readProc(`${pid}/smaps_rollup`), "Pss"), 0) / 1024;
}

function kilobytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
}

/** Empty for a process that has ended. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return "";
  }
}
