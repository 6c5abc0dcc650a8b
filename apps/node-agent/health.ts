import { readFile } from "node:fs/promises";
import type { HealthFrame } from "@securewave/contracts/node-frames";
import { SECOND_MS } from "@securewave/foundation";

/** How the machine is: of all that it carries together, never of one device. */
export interface Health {
  /** Since the call before; what cannot be read, or has nothing before it, is 0. */
  next(): Promise<HealthFrame>;
}

export interface HealthOptions {
  readonly interfaceName: string;
  /** Reads a file below `/proc`. */
  readonly read?: (path: string) => Promise<string>;
  /** Milliseconds of a clock that is never set. */
  readonly steadyMs?: () => number;
}

/** Counters that only ever go up, unless what counts them was made anew. */
interface Counters {
  readonly atMs: number;
  readonly busyTicks: number;
  readonly ticks: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly troubles: number;
}

const IDLE: HealthFrame = {
  processor: 0,
  memory: 0,
  receivedBitsPerSecond: 0,
  sentBitsPerSecond: 0,
  troubles: 0,
};
/** The fields of `/proc/stat` that make up the whole; what guests use is in `user` already: proc_stat(5). */
const STAT_FIELDS = 8;

/** For interfaces that exist in memory only. */
export const noHealth: Health = { next: async () => IDLE };

export function createHealth(options: HealthOptions): Health {
  const {
    interfaceName,
    read = (path) => readFile(path, "utf8"),
    steadyMs = () => performance.now(),
  } = options;
  const textOf = (path: string) => read(path).catch(() => "");
  let before: Counters | undefined;

  return {
    async next() {
      const [stat, memory, devices] = await Promise.all([
        textOf("/proc/stat"),
        textOf("/proc/meminfo"),
        // Of this network namespace, wherever /sys is mounted.
        textOf("/proc/self/net/dev"),
      ]);
      const counters = { atMs: steadyMs(), ...parseStat(stat), ...parseDevice(devices, interfaceName) };
      const rates = before ? ratesOf(before, counters) : {};
      before = counters;
      return { ...IDLE, memory: parseMemory(memory), ...rates };
    },
  };
}

function ratesOf(before: Counters, after: Counters): Partial<HealthFrame> {
  const risen = (of: Exclude<keyof Counters, "atMs">) => Math.max(0, after[of] - before[of]);
  const seconds = (after.atMs - before.atMs) / SECOND_MS;
  if (seconds <= 0) return {};
  return {
    processor: risen("busyTicks") / Math.max(1, risen("ticks")),
    receivedBitsPerSecond: (8 * risen("receivedBytes")) / seconds,
    sentBitsPerSecond: (8 * risen("sentBytes")) / seconds,
    troubles: risen("troubles"),
  };
}

/** What a machine of a hoster's had to wait for (`steal`) counts as used: there was no more of it. */
function parseStat(text: string): Pick<Counters, "busyTicks" | "ticks"> {
  const fields = numbersOf(/^cpu +(.*)$/m.exec(text)?.[1]).slice(0, STAT_FIELDS);
  const [, , , idle = 0, waiting = 0] = fields;
  const ticks = fields.reduce((sum, field) => sum + field, 0);
  return { busyTicks: ticks - idle - waiting, ticks };
}

function parseMemory(text: string): number {
  const kibOf = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)?.[1] ?? 0);
  const total = kibOf("MemTotal");
  return total > 0 ? 1 - kibOf("MemAvailable") / total : 0;
}

/** Bytes, packets, errors and drops are the first four of eight columns in each direction: proc_pid_net(5). */
function parseDevice(
  text: string,
  interfaceName: string,
): Pick<Counters, "receivedBytes" | "sentBytes" | "troubles"> {
  const line = text.split("\n").find((candidate) => candidate.trimStart().startsWith(`${interfaceName}:`));
  const fields = numbersOf(line?.slice(line.indexOf(":") + 1));
  const [receivedBytes = 0, , receiveErrors = 0, receiveDrops = 0] = fields;
  const [sentBytes = 0, , sendErrors = 0, sendDrops = 0] = fields.slice(8);
  return { receivedBytes, sentBytes, troubles: receiveErrors + receiveDrops + sendErrors + sendDrops };
}

function numbersOf(text = ""): number[] {
  return text
    .trim()
    .split(/\s+/)
    .map((field) => Number(field) || 0);
}
