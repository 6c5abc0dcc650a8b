import { timingSafeEqual } from "node:crypto";
import { type Clock, SECOND_MS } from "@securewave/foundation";
import { createRecentMap } from "./recent-map.ts";

/** A text that opens a credential, as its SHA-256 hash. */
export interface AcceptedHash {
  /** 32 bytes */
  readonly hash: Uint8Array;
  /** Milliseconds since 1970; from then on the text is refused. */
  readonly untilMs: number;
}

/** What the store keeps of a key or a session. */
export interface StoredCredential<Holder> {
  readonly holder: Holder;
  /** More than one while a key is rotated: the new text and, for a while, the one before. */
  readonly accepted: readonly AcceptedHash[];
}

export interface CredentialVerifierOptions<Holder> {
  /** Asks the store; undefined when there is no such id or when it may not be used. */
  readonly find: (id: string) => Promise<StoredCredential<Holder> | undefined>;
  readonly clock: Clock;
  /** How long an answer of the store is believed when no `forget` tells better. */
  readonly cacheSeconds?: number;
  readonly entriesMax?: number;
  /** Is told of each look-up whether memory answered it. */
  readonly observe?: (wasCached: boolean) => void;
}

/** Tells who holds a credential: an id that is no secret, and a secret of 256 random bits. */
export interface CredentialVerifier<Holder> {
  /** @returns at once what memory knows, else a promise; rejects when the store does */
  verify(id: string, secretHash: Uint8Array): Holder | undefined | Promise<Holder | undefined>;
  /** Makes the store be asked anew about one id, or about all whose holders fit. */
  forget(idOrPredicate: string | ((holder: Holder) => boolean)): void;
}

const CACHE_SECONDS = 60;
const ENTRIES_MAX = 100_000;
/** Ids that nobody has; apart from the rest, so that guesses push no customer out. */
const UNKNOWN_MAX = 10_000;
/** No text has this hash that anyone could find; it is compared where there is nothing to compare with. */
const NOTHING_ACCEPTED: readonly AcceptedHash[] = [{ hash: new Uint8Array(32), untilMs: 0 }];

/**
 * Remembers what the store said about ids and compares hashes in constant time. An unknown id takes the same
 * way as a wrong secret: one question to the store, then one comparison from memory each time.
 */
export function createCredentialVerifier<Holder>({
  find,
  clock,
  cacheSeconds = CACHE_SECONDS,
  entriesMax = ENTRIES_MAX,
  observe,
}: CredentialVerifierOptions<Holder>): CredentialVerifier<Holder> {
  interface Entry {
    /** Undefined when the store knows nobody by this id. */
    readonly stored: StoredCredential<Holder> | undefined;
    readonly freshUntilMs: number;
  }
  const known = createRecentMap<string, Entry>(entriesMax);
  const unknown = createRecentMap<string, Entry>(Math.min(UNKNOWN_MAX, entriesMax));
  const loading = new Map<string, Promise<Entry["stored"]>>();
  let generation = 0;

  function judge(stored: Entry["stored"], secretHash: Uint8Array): Holder | undefined {
    const nowMs = clock.now();
    let isAccepted = false;
    for (const { hash, untilMs } of stored?.accepted ?? NOTHING_ACCEPTED) {
      const isEqual = hash.length === secretHash.length && timingSafeEqual(hash, secretHash);
      if (isEqual && untilMs > nowMs) isAccepted = true;
    }
    return isAccepted ? stored?.holder : undefined;
  }

  async function ask(id: string): Promise<Entry["stored"]> {
    const startedAt = generation;
    const stored = await find(id);
    // Something was revoked while the store was asked: what it said may be older, so it is not kept.
    if (startedAt !== generation) return stored;
    const [mine, other] = stored ? [known, unknown] : [unknown, known];
    other.delete(id);
    mine.set(id, { stored, freshUntilMs: clock.now() + cacheSeconds * SECOND_MS });
    return stored;
  }

  /** Requests that come while the store is asked about an id wait for the same answer. */
  function load(id: string): Promise<Entry["stored"]> {
    const running = loading.get(id);
    if (running) return running;
    const started = ask(id).finally(() => {
      if (loading.get(id) === started) loading.delete(id);
    });
    loading.set(id, started);
    return started;
  }

  return {
    verify(id, secretHash) {
      const entry = known.get(id) ?? unknown.get(id);
      const isFresh = entry !== undefined && entry.freshUntilMs > clock.now();
      observe?.(isFresh);
      if (isFresh) return judge(entry.stored, secretHash);
      return load(id).then((stored) => judge(stored, secretHash));
    },
    forget(idOrPredicate) {
      generation++;
      loading.clear();
      if (typeof idOrPredicate === "string") {
        known.delete(idOrPredicate);
        unknown.delete(idOrPredicate);
        return;
      }
      known.deleteWhere(({ stored }) => stored !== undefined && idOrPredicate(stored.holder));
      // Who may be found again, after having been suspended say, cannot be told from an absent holder.
      unknown.clear();
    },
  };
}
