import { createHmac, randomUUID } from "node:crypto";
import { type Clock, HOUR_MS, invariant } from "@securewave/foundation";
import { deriveKey } from "@securewave/foundation/derive";
import { type StoreState, watchAvailability } from "./availability.ts";
import { connectTo, endOf, inTime } from "./connection.ts";
import { type Finding, type PersistencePolicy, refusedOf } from "./demands.ts";
import { examine } from "./examine.ts";
import { openListener, type Subscriber } from "./listener.ts";
import { createSealing } from "./sealing.ts";

export interface SharedStoreOptions {
  /**
   * Of a Redis or Valkey without persistence, with user name and password if wanted: `redis://` or `rediss://`, or that
   * of its sentinels (see `parseSentinelUrl`).
   */
  readonly url: string;
  readonly clock: Clock;
  /**
   * 32 bytes, the same in all replicas and never in the store: under it names are hashed and texts sealed, so that
   * who reads the store learns counts, and whose they are not.
   */
  readonly key: Uint8Array;
  /** Certificates in PEM that a `rediss://` server's must be signed by, in place of the system's. */
  readonly caPem?: string;
  readonly onStateChange?: (state: StoreState) => void;
  /**
   * Looks what the server does with what it holds, before anything is written into it over a new connection and every
   * hour, and leaves one that it may not use alone, as if it were away. Without it any server is used.
   */
  readonly persistence?: PersistencePolicy | undefined;
  /** Hears what each look found. */
  readonly onExamined?: (examination: Examination) => void;
  /** How long an answer is waited for: 50 ms, so that a store in trouble costs nobody more. */
  readonly patienceMs?: number;
}

/** What the last look at the server found. */
export interface Examination {
  readonly findings: readonly Finding[];
  /** Those for which it is not used; empty when it is. */
  readonly refused: readonly Finding[];
}

/** A program that runs in the store, whole or not at all. */
export interface Script {
  /** Letters only, one for each script. */
  readonly name: string;
  readonly lua: string;
}

/** What replicas share: counters and blocks, each with an expiry, and never an address. */
export interface SharedStore {
  readonly clock: Clock;
  state(): StoreState;
  /** A name in the store that tells nobody without the key what it stands for. */
  nameOf(kind: string, text: string): string;
  /** 32 bytes for one purpose, the same in all replicas, that the store does not know. */
  secretFor(purpose: string): Uint8Array;
  /** Encrypts and authenticates a text for the store; each time to another text. */
  seal(text: string): string;
  /** @returns undefined for what was not sealed under the same key */
  open(sealed: string): string | undefined;
  /**
   * Runs a script. Every name that it writes must get an expiry in it.
   *
   * @throws when the store does not answer in time, and at once while it is left alone after that
   */
  run(script: Script, names: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  /** Tells all replicas, this one too; lost while the store is away. */
  publish(topic: string, text: string): void;
  /** @returns how to stop */
  subscribe(topic: string, subscriber: Subscriber): () => void;
  /** Calls back now if the store can be asked, and whenever it can be again. Returns how to stop. */
  onUp(back: () => void): () => void;
  /** Resolves once the store was reached, or `waitMs` are over. */
  settled(waitMs?: number): Promise<StoreState>;
  /** Undefined until the server was looked at. */
  examination(): Examination | undefined;
  /** Looks at the server again, now. */
  examine(): Promise<void>;
  close(): Promise<void>;
}

const PREFIX = "securewave:";
const SETTLE_MS = 500;
const NAME_LENGTH = 22; // 132 bits in base64url

/** Connects to what replicas share. It never waits for a store that is away: whoever asks must go on without. */
export function openSharedStore(options: SharedStoreOptions): SharedStore {
  const { url, clock, key, caPem, onStateChange, persistence, onExamined, patienceMs } = options;
  invariant(key.length >= 32, "the key of a shared store has 32 bytes");
  const nameKey = deriveKey(key, "shared store: names");
  const sealing = createSealing(deriveKey(key, "shared store: texts"));
  const nameOf = (kind: string, text: string) =>
    `${PREFIX}${kind}:${createHmac("sha256", nameKey).update(`${kind} ${text}`).digest("base64url").slice(0, NAME_LENGTH)}`;

  const commands = connectTo(url, caPem, patienceMs);
  const listening = connectTo(url, caPem);
  const backUp = new Set<() => void>();
  const defined = new Set<string>();

  /** Of the server at the other end; the next may be another. */
  let examination: Examination | undefined;
  commands.on("close", () => {
    examination = undefined;
  });
  async function admit(): Promise<boolean> {
    if (persistence === undefined) return true;
    const findings = await examine(commands);
    examination = { findings, refused: refusedOf(findings, persistence) };
    onExamined?.(examination);
    return examination.refused.length === 0;
  }

  const changed = (state: StoreState) => {
    onStateChange?.(state);
    if (state === "up") for (const back of backUp) back();
  };
  const availability = watchAvailability(commands, nameOf("probe", randomUUID()), changed, admit);
  const examining = setInterval(() => void availability.admitAgain(), HOUR_MS);
  examining.unref();
  const send = (channel: string, text: string) => {
    if (availability.state() === "down") return false;
    inTime(commands.publish(channel, text), patienceMs).catch(availability.failed);
    return true;
  };
  const listener = openListener(listening, nameOf("beat", randomUUID()), send);

  function callOf({ name, lua }: Script): (...args: unknown[]) => Promise<unknown> {
    if (!defined.has(name)) {
      commands.defineCommand(name, { lua });
      defined.add(name);
    }
    const call: unknown = Reflect.get(commands, name);
    invariant(typeof call === "function", "a defined command is a function");
    return (...args) => Reflect.apply(call, commands, args);
  }

  return {
    clock,
    state: availability.state,
    nameOf,
    secretFor: (purpose) => deriveKey(key, `shared store: secret for ${purpose}`),
    seal: sealing.seal,
    open: sealing.open,
    async run(script, names, args) {
      if (availability.state() === "down") throw new Error("the shared store is away");
      try {
        return await inTime(callOf(script)(names.length, ...names, ...args), patienceMs);
      } catch {
        availability.failed();
        throw new Error("the shared store did not answer"); // what ioredis throws quotes the arguments
      }
    },
    publish: (topic, text) => void send(nameOf("topic", topic), sealing.seal(text)),
    subscribe: (topic, { heard, listening: isListening }) =>
      listener.subscribe(nameOf("topic", topic), {
        heard: (sealed) => {
          const text = sealing.open(sealed);
          if (text !== undefined) heard(text);
        },
        ...(isListening ? { listening: isListening } : {}),
      }),
    onUp(back) {
      backUp.add(back);
      if (availability.state() === "up") back();
      return () => void backUp.delete(back);
    },
    settled: (waitMs = SETTLE_MS) => availability.settled(waitMs),
    examination: () => examination,
    examine: availability.admitAgain,
    async close() {
      clearInterval(examining);
      availability.close();
      await Promise.all([listener.close(), endOf(commands)]);
    },
  };
}
