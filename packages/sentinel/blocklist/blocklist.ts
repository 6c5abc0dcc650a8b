import { type Clock, createId, HOUR_MS, MINUTE_MS, SECOND_MS } from "@securewave/foundation";
import type { Origin } from "../origins/index.ts";
import { createExpiringMap, createRateLimits, type Policy, type Verdict } from "../rate-limit/index.ts";
import type { SharedStore } from "../redis/index.ts";
import type { Block } from "./block.ts";
import { holdBlocks } from "./held-blocks.ts";
import { canonicalNetwork, isWithin } from "./networks.ts";
import { shareBlocks } from "./sharing.ts";

export interface BlocklistOptions {
  readonly clock: Clock;
  /** Where replicas share what they count and block; without it, each does for itself. */
  readonly store?: SharedStore;
  /** More violations than this in a window block an origin. Default 50. */
  readonly violationsMax?: number;
  /** More failed log-ins than this in a window block an origin. Default 10. */
  readonly failedLogInsMax?: number;
  /** Default 300. */
  readonly windowSeconds?: number;
  /** Of the first block of an origin; each further one is twice as long, up to 24 hours. Default 900. */
  readonly firstBlockSeconds?: number;
  /** Default 100,000; of more, those that end first are let in early. */
  readonly blocksMax?: number;
  /** Hears of what this replica blocked by itself, and not of what staff or other replicas did. */
  readonly onBlocked?: (block: Block) => void;
}

export interface NewBlock {
  readonly kind: Block["kind"];
  /** A tag, or an address or network in CIDR form. */
  readonly value: string;
  readonly seconds: number;
  /** Who of the staff adds it. */
  readonly addedBy?: string;
}

/** Origins that are let in no more for a while: in memory only, each with an end. */
export interface Blocklist {
  /** Notes that an origin was refused for something that an honest client does not go on with. */
  violated(tag: string): void;
  logInFailed(tag: string): void;
  /** The block that holds an origin, under today's or yesterday's tag or by its network. */
  find(origin: Origin): Block | undefined;
  /** The newest first. */
  list(): Block[];
  /** @returns undefined when the value is no tag or no network */
  add(block: NewBlock): Block | undefined;
  /** Ends a block and all others of the same origin or network. Returns it, or undefined when there is none. */
  lift(id: string): Block | undefined;
  /** Whether a network holds an address; for staff that should not lock themselves out. */
  holds(network: string, address: string): boolean;
  count(): number;
  close(): void;
}

const VIOLATIONS_MAX = 50;
const FAILED_LOG_INS_MAX = 10;
const WINDOW_SECONDS = 300;
const FIRST_BLOCK_SECONDS = 900;
const LONGEST_BLOCK_MS = 24 * HOUR_MS;
const BLOCKS_MAX = 100_000;
const SWEEP_MS = MINUTE_MS;
const TAG_PATTERN = /^[\w-]{1,64}$/;

export function createBlocklist(options: BlocklistOptions): Blocklist {
  const { clock, store, onBlocked } = options;
  const { windowSeconds = WINDOW_SECONDS, blocksMax = BLOCKS_MAX } = options;
  const firstBlockMs = (options.firstBlockSeconds ?? FIRST_BLOCK_SECONDS) * SECOND_MS;
  const violations: Policy = {
    name: "violations",
    limit: options.violationsMax ?? VIOLATIONS_MAX,
    windowSeconds,
  };
  const failedLogIns: Policy = {
    name: "failed-log-ins",
    limit: options.failedLogInsMax ?? FAILED_LOG_INS_MAX,
    windowSeconds,
  };
  const limits = createRateLimits({ clock, ...(store ? { store } : {}) });
  const held = holdBlocks(clock, blocksMax);
  /** How long the last block of an origin was: the next is longer. */
  const lastBlockMs = createExpiringMap<number>({ lifeMs: LONGEST_BLOCK_MS, entriesMax: blocksMax });
  /** Ids that were lifted, so that nobody brings them back. */
  const lifted = createExpiringMap<true>({ lifeMs: LONGEST_BLOCK_MS, entriesMax: blocksMax });

  function keep(block: Block): void {
    held.put(block);
    if (block.kind === "network" || block.reason === "staff") return;
    const nowMs = clock.now();
    const lifeMs = Math.max(block.until - block.since, lastBlockMs.get(block.value, nowMs) ?? 0);
    lastBlockMs.set(block.value, lifeMs, nowMs);
  }

  function remove(id: string): Block | undefined {
    lifted.set(id, true, clock.now());
    const block = held.remove(id);
    if (block) lastBlockMs.delete(block.value);
    return block;
  }

  const sharing =
    store &&
    shareBlocks(store, {
      has: held.has,
      all: held.all,
      remove,
      put(block) {
        if (lifted.get(block.id, clock.now())) sharing?.lift(block);
        else keep(block);
      },
    });

  function block(block: Omit<Block, "id" | "since">): Block {
    const made = { id: createId("block"), since: clock.now(), ...block };
    keep(made);
    sharing?.put(made);
    return made;
  }

  function blockTag(tag: string, reason: Block["reason"]): void {
    if (held.findTag(tag)) return;
    const nowMs = clock.now();
    const before = lastBlockMs.get(tag, nowMs);
    const lifeMs = Math.min(before === undefined ? firstBlockMs : before * 2, LONGEST_BLOCK_MS);
    const made = block({ kind: "tag", value: tag, reason, until: nowMs + lifeMs });
    onBlocked?.(made);
  }

  function count(policy: Policy, tag: string, reason: Block["reason"]): void {
    const judge = ({ isAllowed }: Verdict) => {
      if (!isAllowed) blockTag(tag, reason);
    };
    const verdict = limits.take(policy, tag);
    if (verdict instanceof Promise) void verdict.then(judge);
    else judge(verdict);
  }

  const sweeping = setInterval(() => {
    held.all();
    for (const map of [lastBlockMs, lifted]) map.sweep(clock.now());
  }, SWEEP_MS);
  sweeping.unref();

  return {
    violated: (tag) => count(violations, tag, "violations"),
    logInFailed: (tag) => count(failedLogIns, tag, "failed_log_ins"),
    find: held.find,
    list: () => held.all().sort((a, b) => b.since - a.since || (a.id < b.id ? -1 : 1)),
    add({ kind, value, seconds, addedBy }) {
      const canonical = kind === "network" ? canonicalNetwork(value) : TAG_PATTERN.exec(value)?.[0];
      if (canonical === undefined) return undefined;
      const until = clock.now() + seconds * SECOND_MS;
      return block({ kind, value: canonical, reason: "staff", until, ...(addedBy ? { addedBy } : {}) });
    },
    lift(id) {
      const named = held.all().find((each) => each.id === id);
      if (!named) return undefined;
      for (const each of held.all()) {
        if (each.kind !== named.kind || each.value !== named.value) continue;
        remove(each.id);
        sharing?.lift(each);
      }
      return named;
    },
    holds: isWithin,
    count: () => held.all().length,
    close() {
      clearInterval(sweeping);
      limits.close();
      sharing?.close();
    },
  };
}
