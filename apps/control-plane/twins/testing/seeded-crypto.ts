// The real one is handed in: this file is loaded while it is being replaced.
type Crypto = typeof import("node:crypto");

/** How many frames of the caller make out who asks; its own line may be one that many share, such as that of ids. */
const CALLER_FRAMES = 4;

/**
 * Randomness that is the same in each run from `restart` on, so that what two instances write can be compared byte by
 * byte. Each place in the code has a stream of its own: that one of them is asked more often moves none of the others.
 */
export function createSeededRandom({ createHash }: Pick<Crypto, "createHash">) {
  let counts = new Map<string, number>();
  let seedText = "";

  function fill<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
    const place = placeOf(new Error().stack ?? "");
    const count = counts.get(place) ?? 0;
    counts.set(place, count + 1);
    for (let at = 0; at < bytes.length; at += 32) {
      const block = createHash("sha256").update(`${seedText} ${place} ${count} ${at}`).digest();
      bytes.set(block.subarray(0, Math.min(32, bytes.length - at)), at);
    }
    return bytes;
  }

  return {
    fill,
    /** Begins anew; another seed gives other bytes, such as ids that do not meet those made before. */
    restart(seed: string) {
      seedText = seed;
      counts = new Map();
    },
  };
}

/** Stands in for `node:crypto` where random bytes are made of it; keys and ciphers stay as they are. */
export function seed(actual: Crypto, { fill }: ReturnType<typeof createSeededRandom>): Crypto {
  const bytesOf = (size: number) => fill(Buffer.alloc(size));
  function randomBytes(size: number, callback?: (error: Error | null, bytes: Buffer) => void) {
    const bytes = bytesOf(size);
    if (callback === undefined) return bytes;
    queueMicrotask(() => callback(null, bytes));
    return undefined;
  }
  function randomInt(
    ...args: (number | ((error: Error | null, value: number) => void) | undefined)[]
  ): number {
    const [first = 0, second] = args.filter((each) => typeof each === "number");
    const [from, to] = second === undefined ? [0, first] : [first, second];
    return from + (bytesOf(6).readUIntBE(0, 6) % (to - from));
  }
  function randomUUID(): string {
    const bytes = bytesOf(16);
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }
  function randomFillSync<Bytes extends NodeJS.ArrayBufferView>(
    view: Bytes,
    offset = 0,
    size?: number,
  ): Bytes {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    fill(bytes.subarray(offset, size === undefined ? undefined : offset + size));
    return view;
  }
  const seeded = { ...actual, randomBytes, randomInt, randomUUID, randomFillSync } as Crypto;
  return Object.assign(seeded, { default: seeded });
}

function placeOf(stack: string): string {
  return stack
    .split("\n")
    .filter((line) => line.includes(":") && !line.includes("seeded-crypto"))
    .slice(0, CALLER_FRAMES)
    .map((line) => line.trim().replace(/\?[^:]*/, ""))
    .join(" ");
}
