import { setTimeout as pause } from "node:timers/promises";
import { SECOND_MS } from "@securewave/foundation";
import type { Script, SharedStore } from "../redis/index.ts";
import { type Block, parseBlock } from "./block.ts";

/**
 * KEYS: ids in order of their end; sealed blocks by id. An id with `-` before it says that the block was lifted, so
 * that a replica which missed it cannot bring the block back.
 *
 * ARGV of `put`: id, sealed block, end, life in ms. Returns 0 when the block was lifted.
 */
const PUT: Script = {
  name: "putBlock",
  lua: `
if redis.call('ZSCORE', KEYS[1], '-' .. ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
for i = 1, 2 do
  if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[i], ARGV[4]) end
end
return 1`,
};

/** ARGV: id, end, life in ms. */
const LIFT: Script = {
  name: "liftBlock",
  lua: `
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], '-' .. ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1`,
};

/** Drops what has ended, then gives a page of ids with their sealed blocks. ARGV: now, offset, count. */
const READ: Script = {
  name: "readBlocks",
  lua: `
local ended = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 500)
if #ended > 0 then
  redis.call('ZREM', KEYS[1], unpack(ended))
  redis.call('HDEL', KEYS[2], unpack(ended))
end
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'LIMIT', ARGV[2], ARGV[3])
if #ids == 0 then return {{}, {}} end
return {ids, redis.call('HMGET', KEYS[2], unpack(ids))}`,
};

const TOPIC = "blocks";
const PAGE = 250;
const RESYNC_MS = 15 * SECOND_MS;
/** A store that was slow for once is not away, so that nobody says when it is back. */
const AGAIN_MS = 250;

/** What this replica holds. */
export interface OwnSide {
  has(id: string): boolean;
  /** Takes in what another replica blocked. */
  put(block: Block): void;
  /** Takes out what was lifted elsewhere. */
  remove(id: string): void;
  all(): Iterable<Block>;
}

export interface BlockSharing {
  put(block: Block): void;
  lift(block: Block): void;
  close(): void;
}

/**
 * Tells the other replicas of blocks at once, over a channel; those that were away read what stands in the store when
 * they are back, and all do so from time to time.
 */
export function shareBlocks(store: SharedStore, held: OwnSide): BlockSharing {
  const names = [store.nameOf("blocks", "ends"), store.nameOf("blocks", "texts")];
  let isReading = false;

  async function putInStore(block: Block): Promise<void> {
    const lifeMs = Math.ceil(block.until - store.clock.now());
    if (lifeMs <= 0) return;
    const text = JSON.stringify(block);
    const isStanding = await store.run(PUT, names, [block.id, store.seal(text), block.until, lifeMs]);
    if (isStanding === 0) held.remove(block.id);
    else store.publish(TOPIC, text);
  }

  /** @returns the ids that stand in the store, also of what was lifted */
  async function readAll(): Promise<ReadonlySet<string>> {
    const standing = new Set<string>();
    for (let offset = 0; ; offset += PAGE) {
      const page = parsePage(await store.run(READ, names, [store.clock.now(), offset, PAGE]));
      for (const [id, sealed] of page) {
        standing.add(id);
        takeIn(id, sealed);
      }
      if (page.length < PAGE) return standing;
    }
  }

  function takeIn(id: string, sealed: string): void {
    if (id.startsWith("-")) held.remove(id.slice(1));
    else if (!held.has(id)) hear(store.open(sealed));
  }

  function hear(text: string | undefined): void {
    const block = text === undefined ? undefined : parseBlock(text);
    if (block) held.put(block);
  }

  async function compare(): Promise<void> {
    const standing = await readAll();
    // What was blocked here while the store was away, or what it lost.
    for (const block of [...held.all()]) if (!standing.has(block.id)) await putInStore(block);
  }

  async function resync(): Promise<void> {
    if (isReading || store.state() === "down") return;
    isReading = true;
    await compare().catch(() => undefined);
    isReading = false;
  }

  const stops = [
    store.onUp(() => void resync()),
    store.subscribe(TOPIC, {
      heard: (text) => (text.startsWith("-") ? held.remove(text.slice(1)) : hear(text)),
      listening: () => void resync(),
    }),
  ];
  const resyncing = setInterval(resync, RESYNC_MS);
  resyncing.unref();

  return {
    put(block) {
      const putAgain = () => pause(AGAIN_MS, block, { ref: false }).then(putInStore);
      putInStore(block)
        .catch(putAgain)
        .catch(() => undefined);
    },
    lift(block) {
      const lifeMs = Math.max(1, Math.ceil(block.until - store.clock.now()));
      store.run(LIFT, names, [block.id, block.until, lifeMs]).catch(() => undefined);
      store.publish(TOPIC, `-${block.id}`);
    },
    close() {
      clearInterval(resyncing);
      for (const stop of stops) stop();
    },
  };
}

function parsePage(answer: unknown): [id: string, sealed: string][] {
  if (!Array.isArray(answer)) return [];
  const [ids, texts]: unknown[] = answer;
  if (!Array.isArray(ids) || !Array.isArray(texts)) return [];
  return ids.map((id, at) => [String(id), String(texts[at] ?? "")]);
}
