/** An hour of samples, one every 30 s. */
export const SAMPLES_MAX = 120;
export const SAMPLE_MS = 30_000;

/** How a node was when a sample was taken; what counts people is a range's lower end already (ZERO-LOG R9). */
export interface Sample {
  /** Of a clock that is never set. */
  readonly atMs: number;
  /** 0…1, as the following. */
  readonly processor: number | null;
  readonly memory: number | null;
  /** Bits per second in both directions; null while too few devices share it, as the following. */
  readonly throughputFloor: number | null;
  readonly troubles: number | null;
  readonly connectedFloor: number;
  readonly handshakeMs: number | null;
  readonly echoMs: number | null;
  readonly probesLost: number | null;
}

export interface Ring {
  /** Takes the place of the oldest, once there is an hour of them. */
  add(sample: Sample): void;
  /** Those of the hour before this moment, the oldest first. */
  since(nowMs: number): Sample[];
}

const COLUMNS = [
  "atMs",
  "processor",
  "memory",
  "throughputFloor",
  "troubles",
  "connectedFloor",
  "handshakeMs",
  "echoMs",
  "probesLost",
] as const satisfies readonly (keyof Sample)[];
const NEVER = Number.NEGATIVE_INFINITY;

/** Keeps samples as numbers, some 9 KB for each node however it does; NaN stands for null. */
export function createRing(): Ring {
  const width = COLUMNS.length;
  const figures = new Float64Array(SAMPLES_MAX * width).fill(NEVER);
  let next = 0;

  const column = (at: number, name: keyof Sample) => figures[at * width + COLUMNS.indexOf(name)] ?? NEVER;
  const orNull = (value: number) => (Number.isNaN(value) ? null : value);

  function sampleAt(at: number): Sample {
    return {
      atMs: column(at, "atMs"),
      processor: orNull(column(at, "processor")),
      memory: orNull(column(at, "memory")),
      throughputFloor: orNull(column(at, "throughputFloor")),
      troubles: orNull(column(at, "troubles")),
      connectedFloor: column(at, "connectedFloor"),
      handshakeMs: orNull(column(at, "handshakeMs")),
      echoMs: orNull(column(at, "echoMs")),
      probesLost: orNull(column(at, "probesLost")),
    };
  }

  return {
    add(sample) {
      for (const [index, name] of COLUMNS.entries())
        figures[next * width + index] = sample[name] ?? Number.NaN;
      next = (next + 1) % SAMPLES_MAX;
    },
    since(nowMs) {
      const oldestMs = nowMs - SAMPLES_MAX * SAMPLE_MS;
      const places = Array.from({ length: SAMPLES_MAX }, (_, offset) => (next + offset) % SAMPLES_MAX);
      return places.filter((at) => column(at, "atMs") > oldestMs).map(sampleAt);
    },
  };
}
