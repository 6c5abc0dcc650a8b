/** The real one, also while this stands in for it. */
const actual = process.getBuiltinModule("node:crypto");

/** How many frames of the caller make out who asks; its own line may be one that many share, such as that of ids. */
const CALLER_FRAMES = 4;
/** What stands between the caller and `placeOf`. */
const OWN_FRAMES = 4;

let counts = new Map<string, number>();
let seedText = "";

/** Begins anew; another seed gives other bytes, such as ids that do not meet those made before. */
export function restartRandom(seed: string): void {
  seedText = seed;
  counts = new Map();
}

/**
 * Fills with what is the same in each run from `restartRandom` on, so that what two instances write can be compared byte
 * by byte. Each place in the code has a stream of its own: that one of them is asked more often moves none of the others.
 */
export function fillSeeded<Bytes extends Uint8Array>(bytes: Bytes): Bytes {
  const place = placeOf();
  const count = counts.get(place) ?? 0;
  counts.set(place, count + 1);
  for (let at = 0; at < bytes.length; at += 32) {
    const block = actual.hash("sha256", `${seedText} ${place} ${count} ${at}`, "buffer");
    bytes.set(block.subarray(0, Math.min(32, bytes.length - at)), at);
  }
  return bytes;
}

/** Stands in for `node:crypto` where random bytes are made of it; keys and ciphers stay as they are. */
export const seededCrypto = Object.assign(
  { ...actual },
  { randomBytes, randomInt, randomUUID, randomFillSync },
);
Object.assign(seededCrypto, { default: seededCrypto });

function randomBytes(size: number, callback?: (error: Error | null, bytes: Buffer) => void) {
  const bytes = fillSeeded(Buffer.alloc(size));
  if (callback === undefined) return bytes;
  queueMicrotask(() => callback(null, bytes));
  return undefined;
}

function randomInt(...args: (number | ((error: Error | null, value: number) => void) | undefined)[]): number {
  const [first = 0, second] = args.filter((each) => typeof each === "number");
  const [from, to] = second === undefined ? [0, first] : [first, second];
  return from + (fillSeeded(Buffer.alloc(6)).readUIntBE(0, 6) % (to - from));
}

function randomUUID(): string {
  const bytes = fillSeeded(Buffer.alloc(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function randomFillSync<Bytes extends NodeJS.ArrayBufferView>(view: Bytes, offset = 0, size?: number): Bytes {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  fillSeeded(bytes.subarray(offset, size === undefined ? undefined : offset + size));
  return view;
}

/** Of the code as it runs: finding each line's place in its source would cost more than all that is tested. */
function placeOf(): string {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.prepareStackTrace = (_, sites) => sites;
  Error.stackTraceLimit = OWN_FRAMES + CALLER_FRAMES;
  const sites: unknown = new Error().stack;
  Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  return Array.isArray(sites) ? sites.filter(isForeign).slice(0, CALLER_FRAMES).join(" ") : "";
}

function isForeign(site: unknown): boolean {
  return !String(site).includes("seeded-crypto");
}
