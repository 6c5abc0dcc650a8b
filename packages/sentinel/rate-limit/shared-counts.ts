import { randomBytes } from "node:crypto";
import { SECOND_MS } from "@securewave/foundation";
import type { Script, SharedStore } from "../redis/index.ts";
import { add, type Count, learn, moveOn, oldestOf, rowOf } from "./counts.ts";

/** A part of what is asked of the store: so much of one count, if it stays within the limit. */
export interface Part {
  readonly count: Count;
  readonly limit: number;
  readonly cost: number;
}

/** The side of the counts that replicas share. */
export interface SharedCounts {
  /**
   * Takes all parts or none, exactly; what was taken is in the counts when the promise resolves.
   *
   * @returns 0 when all were taken, else the number of the first part that did not fit, from 1; undefined when the
   * store did not answer
   */
  take(parts: readonly Part[]): Promise<number | undefined>;
  /** Has the others told, within 25 ms, of what was let through here. */
  tell(count: Count): void;
  close(): void;
}

/**
 * For each count one hash: what each replica let through, as `bucket:count,…` under the replica's name. A replica
 * always writes all of its own row, so that telling twice counts once, and a store that lost everything is filled
 * again by what is told next.
 *
 * ARGV: replica; for each name the oldest bucket that counts, the newest, the life in ms, the own row; then for each
 * question the number of its parts and for each part the number of the name, the cost, the limit.
 * Returns: for each question 0, or the number of the first part that did not fit; for each name what the others let
 * through.
 */
const TELL_AND_TAKE: Script = {
  name: "tellAndTake",
  lua: `
local replica, at = ARGV[1], 2
local used, taken, others = {}, {}, {}
local newest, own = {}, {}
for i, name in ipairs(KEYS) do
  local oldest = tonumber(ARGV[at])
  newest[i], own[i] = ARGV[at + 1], ARGV[at + 3]
  redis.call('HSET', name, replica, own[i])
  redis.call('PEXPIRE', name, ARGV[at + 2])
  at = at + 4
  local rows = redis.call('HGETALL', name)
  local sum, theirs = 0, {}
  for r = 1, #rows, 2 do
    local isLive = rows[r] == replica
    for bucket, count in string.gmatch(rows[r + 1], '(%d+):(%d+)') do
      if tonumber(bucket) >= oldest then
        isLive = true
        sum = sum + count
        if rows[r] ~= replica then theirs[#theirs + 1] = bucket .. ':' .. count end
      end
    end
    if not isLive then redis.call('HDEL', name, rows[r]) end
  end
  used[i], others[i] = sum, table.concat(theirs, ',')
end
local answers = {}
while at <= #ARGV do
  local first, last, refused = at + 1, at + 3 * tonumber(ARGV[at]), 0
  for p = last - 2, first, -3 do
    if used[tonumber(ARGV[p])] + ARGV[p + 1] > tonumber(ARGV[p + 2]) then refused = (p - first) / 3 + 1 end
  end
  if refused == 0 then
    for p = first, last, 3 do
      local i = tonumber(ARGV[p])
      used[i] = used[i] + ARGV[p + 1]
      taken[i] = (taken[i] or 0) + ARGV[p + 1]
    end
  end
  answers[#answers + 1] = refused
  at = last + 1
end
for i, count in pairs(taken) do
  if count > 0 then redis.call('HSET', KEYS[i], replica, own[i] .. ',' .. newest[i] .. ':' .. count) end
end
return {answers, others}`,
};

const FLUSH_MS = 25;
/** In one call, so that it stays far below the store's time-out. */
const COUNTS_MAX = 256;
const QUESTIONS_MAX = 256;

interface Question {
  readonly parts: readonly Part[];
  readonly settle: (refused: number | undefined) => void;
}

/**
 * One call to the store is under way at a time: it asks all that came up meanwhile and tells what is due. So a
 * replica's row in the store never mixes with an older one, and a key under pressure costs calls by the round trip
 * and not by the request.
 */
export function shareCounts(store: SharedStore, counts: () => Iterable<Count>): SharedCounts {
  const replica = randomBytes(6).toString("base64url");
  const untold = new Set<Count>();
  let questions: Question[] = [];
  let isCalling = false;
  let isPlanned = false;
  let isFlushDue = false;
  let timer: NodeJS.Timeout | undefined;

  function planFlush(): void {
    if (timer !== undefined || untold.size === 0) return;
    timer = setTimeout(() => {
      timer = undefined;
      isFlushDue = true;
      void call();
    }, FLUSH_MS);
    timer.unref();
  }

  async function call(): Promise<void> {
    if (isCalling) return;
    isCalling = true;
    while (questions.length > 0 || (isFlushDue && store.state() === "up")) {
      await callOnce(store, replica, takeQuestions(), untold);
      isFlushDue = untold.size >= COUNTS_MAX;
    }
    isCalling = false;
    planFlush();
  }

  function takeQuestions(): Question[] {
    const taken = questions.slice(0, QUESTIONS_MAX);
    questions = questions.slice(QUESTIONS_MAX);
    return taken;
  }

  const stop = store.onUp(() => {
    // What was let through while the store was away, or what it lost.
    for (const count of counts()) if (count.ownSum > 0) untold.add(count);
    planFlush();
  });

  return {
    take(parts) {
      return new Promise((settle) => {
        questions.push({ parts, settle });
        if (isCalling || isPlanned) return;
        isPlanned = true; // what else comes up in this turn goes along
        queueMicrotask(() => {
          isPlanned = false;
          void call();
        });
      });
    },
    tell(count) {
      untold.add(count);
      planFlush();
    },
    close() {
      stop();
      clearTimeout(timer);
    },
  };
}

async function callOnce(
  store: SharedStore,
  replica: string,
  questions: readonly Question[],
  untold: Set<Count>,
): Promise<void> {
  const nowMs = store.clock.now();
  const numbers = numberCounts(questions, untold);
  const told = [...numbers.keys()].map((count) => {
    moveOn(count, nowMs);
    untold.delete(count);
    count.storeName ??= store.nameOf("rate", `${count.policyName} ${count.key}`);
    return { count, name: count.storeName, bucket: count.newest, untold: count.untold };
  });
  const args: (string | number)[] = [replica];
  for (const { count } of told) args.push(oldestOf(count), count.newest, storeLifeMsOf(count), rowOf(count));
  for (const { parts } of questions) {
    args.push(parts.length);
    for (const { count, cost, limit } of parts) args.push(numbers.get(count) ?? 0, cost, limit);
  }

  const names = told.map(({ name }) => name);
  const answer = parseAnswer(await store.run(TELL_AND_TAKE, names, args).catch(() => undefined));
  if (!answer) {
    for (const { count } of told) untold.add(count);
    for (const { settle } of questions) settle(undefined);
    return;
  }
  for (const [at, { count, untold: wasUntold }] of told.entries()) {
    count.untold = Math.max(0, count.untold - wasUntold);
    learn(count, answer.others[at] ?? "");
  }
  const bucketOf = (count: Count) => told[(numbers.get(count) ?? 0) - 1]?.bucket;
  for (const [at, { parts, settle }] of questions.entries()) {
    const refused = answer.refused[at];
    if (refused === 0) for (const { count, cost } of parts) add(count, cost, bucketOf(count));
    settle(refused);
  }
}

/** Those that are asked about, and of the others as many as one call takes; numbered from 1. */
function numberCounts(questions: readonly Question[], untold: ReadonlySet<Count>): Map<Count, number> {
  const numbers = new Map<Count, number>();
  for (const { parts } of questions) {
    for (const { count } of parts) if (!numbers.has(count)) numbers.set(count, numbers.size + 1);
  }
  for (const count of untold) {
    if (numbers.size >= COUNTS_MAX) break;
    if (!numbers.has(count)) numbers.set(count, numbers.size + 1);
  }
  return numbers;
}

/** Longer than it counts here, for replicas whose clocks are behind. */
function storeLifeMsOf(count: Count): number {
  return Math.ceil(count.bucketMs * 12 + SECOND_MS);
}

function parseAnswer(answer: unknown): { refused: number[]; others: string[] } | undefined {
  if (!Array.isArray(answer)) return undefined;
  const [refused, others]: unknown[] = answer;
  if (!Array.isArray(refused) || !Array.isArray(others)) return undefined;
  return { refused: refused.map(Number), others: others.map(String) };
}
