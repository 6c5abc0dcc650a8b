import { statfs } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { HOUR_MS, MINUTE_MS } from "@securewave/foundation";

interface CpuReading {
  readonly atMs: number;
  readonly idle: number;
  readonly all: number;
}

/** The busy share of all processors over the last one to two minutes, whoever asks how often. */
export function createCpuShare(read: () => CpuReading = readCpus): () => number {
  let readings = [read()];
  return () => {
    const now = read();
    const [oldest] = readings;
    // The newest of those that are a minute old stays, so that the window is never shorter once it was filled.
    const settled = readings.findLastIndex(({ atMs }) => atMs <= now.atMs - MINUTE_MS);
    readings = [...readings.slice(Math.max(0, settled)), now];
    const since = readings[0] ?? oldest ?? now;
    const all = now.all - since.all;
    return all <= 0 ? 0 : 1 - (now.idle - since.idle) / all;
  };
}

function readCpus(): CpuReading {
  const times = cpus().map(({ times }) => times);
  return {
    atMs: performance.now(),
    idle: times.reduce((sum, { idle }) => sum + idle, 0),
    all: times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0),
  };
}

/** Of the machine, or of what a container may have. */
export function memoryShare(): number {
  const limit = process.constrainedMemory();
  const all = limit > 0 && limit < totalmem() ? limit : totalmem();
  return Math.max(0, 1 - process.availableMemory() / all);
}

/** Of what a program that is not root may fill. */
export async function diskShare(dir: string): Promise<number> {
  const { blocks, bfree, bavail } = await statfs(dir);
  const used = blocks - bfree;
  return used / (used + bavail);
}

/** Finds out when the machine's clock was moved, by one that cannot be. */
export function createClockWatch(wallMs: () => number = Date.now, steadyMs = () => performance.now()) {
  let apart = wallMs() - steadyMs();
  let steps: { readonly atMs: number; readonly ms: number }[] = [];
  return {
    /** The largest step of the last hour. */
    largestStepMs(): number {
      const now = wallMs() - steadyMs();
      const ms = Math.abs(now - apart);
      apart = now;
      const atMs = steadyMs();
      steps = [...steps.filter((step) => step.atMs > atMs - HOUR_MS), { atMs, ms }].filter(
        (step, index, all) => index === all.length - 1 || step.ms > 100,
      );
      return Math.max(...steps.map((step) => step.ms));
    },
  };
}
