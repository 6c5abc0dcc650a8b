import { sha256 } from "@noble/hashes/sha2.js";

/**
 * Proof of work: a client shows that it spent some time of its processor, before a log-in say.
 *
 * A challenge is the text `c1.<purpose>.<bits>.<ends>.<id>.<mac>`: what it is for, how many zero bits are asked, when
 * it ends (seconds since 1970), 128 random bits and the server's signature (both in base64url). Its solution is
 * `<challenge>.<nonce>` with a decimal nonce such that the SHA-256 hash of this whole text begins with at least
 * `<bits>` zero bits; on average 2^bits nonces have to be tried. It goes into the header `X-Challenge-Solution`.
 *
 * @see http://www.hashcash.org/papers/hashcash.pdf
 */
export interface Challenge {
  readonly purpose: string;
  readonly difficultyBits: number;
  readonly endsAtSeconds: number;
  readonly id: string;
  /** What the signature is over. */
  readonly signed: string;
  readonly signature: string;
}

export const SOLUTION_HEADER = "x-challenge-solution";
/** A field that forms contain out of people's sight: only a program fills it in. */
export const TRAP_FIELD = "website";
/** 2^26 hashes keep a browser busy for a minute; a server that asks for more is not to be obeyed. */
export const DIFFICULTY_BITS_MAX = 26;

const CHALLENGE =
  /^(c1\.([a-z0-9-]{1,32})\.([1-9][0-9]?)\.([0-9]{1,12})\.([A-Za-z0-9_-]{22}))\.([A-Za-z0-9_-]{43})$/;
const NONCE = /^[0-9]{1,15}$/;

export function parseChallenge(text: string): Challenge | undefined {
  const [, signed, purpose, bits, ends, id, signature] = CHALLENGE.exec(text) ?? [];
  if (!signed || !purpose || !bits || !ends || !id || !signature) return undefined;
  const difficultyBits = Number(bits);
  if (difficultyBits > DIFFICULTY_BITS_MAX) return undefined;
  return { purpose, difficultyBits, endsAtSeconds: Number(ends), id, signed, signature };
}

/** @returns the challenge that a text claims to solve; whether it does, its hash tells */
export function parseSolution(text: string): Challenge | undefined {
  const dot = text.lastIndexOf(".");
  return NONCE.test(text.slice(dot + 1)) ? parseChallenge(text.slice(0, dot)) : undefined;
}

/** @param hash at least 4 bytes */
export function leadingZeroBits(hash: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = hash;
  return Math.clz32(((a << 24) | (b << 16) | (c << 8) | d) >>> 0);
}

export interface SolveOptions {
  readonly signal?: AbortSignal;
  /** Told the chance that a solver would have been done by now: 0 to 1, ever more slowly. */
  readonly onProgress?: (share: number) => void;
}

/** So long the page stands still between two breaths. */
const WORK_MS = 25;
const TRIES_PER_LOOK = 2000;

/**
 * Finds the solution of a challenge, leaving the event loop room in between. About 1 µs for each try.
 *
 * @throws TypeError on what is no challenge; the signal's reason when it was aborted
 */
export async function solveChallenge(
  text: string,
  { signal, onProgress }: SolveOptions = {},
): Promise<string> {
  const challenge = parseChallenge(text);
  if (!challenge) throw new TypeError("This is no challenge.");
  const { difficultyBits } = challenge;
  signal?.throwIfAborted();
  const attempt = createAttempts(`${text}.`);
  let nonce = 0;
  while (true) {
    const pauseAtMs = performance.now() + WORK_MS;
    while (performance.now() < pauseAtMs) {
      for (const end = nonce + TRIES_PER_LOOK; nonce < end; nonce++) {
        if (leadingZeroBits(attempt(nonce)) >= difficultyBits) return `${text}.${nonce}`;
      }
    }
    onProgress?.(1 - Math.exp(-nonce / 2 ** difficultyBits));
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
  }
}

/** Hashes a fixed beginning followed by a number; the beginning is worked through once only. */
function createAttempts(beginning: string): (nonce: number) => Uint8Array {
  const encoder = new TextEncoder();
  const begun = sha256.create().update(encoder.encode(beginning));
  const hasher = sha256.create();
  const digits = new Uint8Array(16);
  const hash = new Uint8Array(32);
  return (nonce) => {
    const { written } = encoder.encodeInto(String(nonce), digits);
    begun._cloneInto(hasher).update(digits.subarray(0, written)).digestInto(hash);
    return hash;
  };
}
