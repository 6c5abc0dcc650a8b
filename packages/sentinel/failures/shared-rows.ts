import type { Script, SharedStore } from "../redis/index.ts";
import {
  FIRST_DELAY_MS,
  FORGOTTEN_AFTER_MS,
  FREE_FAILURES,
  LONGEST_DELAY_MS,
  PENDING_MS,
  type Row,
} from "./row.ts";

/** What is to be done to rows: `check` begins a try of all if none has to wait. */
export type Act = "check" | "failed" | "succeeded" | "released";

/** A row of this replica, and its name in the store. */
export interface NamedRow {
  readonly name: string;
  readonly row: Row;
  /** How many tries may be under way at once before the delays begin. */
  readonly parallelMax: number;
}

/**
 * `row.ts` for all replicas together. What the asking replica knows is merged in, so that nothing is lost that it
 * counted while the store was away, or that the store lost: of two rows the later success and, of failures since
 * then, the more. A row that knows of fewer successes than the other counts only what it saw at a later instant.
 *
 * ARGV: act; now; free failures, first delay, longest delay, forgotten after, pending; for each name the asking
 * replica's failures, locked until, last failed, reset, resets, and how many may be pending.
 * Returns: the wait in ms; for each name failures, locked until, last failed, reset, resets.
 */
const ACT: Script = {
  name: "actOnFailures",
  lua: `
local act, now = ARGV[1], tonumber(ARGV[2])
local free, first, longest = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local forgotten, patience = tonumber(ARGV[6]), tonumber(ARGV[7])
local rows, wait = {}, 0
for i, name in ipairs(KEYS) do
  local at, own = 8 + (i - 1) * 6, {}
  for k = 1, 5 do own[k] = tonumber(ARGV[at + k - 1]) end
  local held = redis.call('HMGET', name, 'f', 'u', 'l', 'r', 's', 'p', 'q')
  for k = 1, 7 do held[k] = tonumber(held[k] or '0') end
  local row = {f = 0, u = 0, l = 0, r = math.max(own[4], held[4]), s = math.max(own[5], held[5]), p = held[6], q = held[7]}
  for _, known in ipairs({own, held}) do
    if (known[5] == row.s or known[3] > row.r) and now - known[3] < forgotten then
      row.f, row.u, row.l = math.max(row.f, known[1]), math.max(row.u, known[2]), math.max(row.l, known[3])
    end
  end
  if now >= row.q then row.p = 0 end
  rows[i] = row
  local most = tonumber(ARGV[at + 5])
  if row.f >= free then most = 1 end
  if row.u > now then wait = math.max(wait, row.u - now)
  elseif row.p >= most then wait = math.max(wait, first) end
end
local answer = {wait}
for i, name in ipairs(KEYS) do
  local row = rows[i]
  if act == 'succeeded' then
    row = {f = 0, u = 0, l = 0, r = now, s = row.s + 1, p = 0, q = 0}
  elseif act == 'failed' then
    row.p, row.f, row.l = math.max(0, row.p - 1), row.f + 1, now
    if row.f >= free then
      row.u = math.max(row.u, now + math.min(first * 2 ^ (row.f - free), longest))
    end
  elseif act == 'released' then
    row.p = math.max(0, row.p - 1)
  elseif wait == 0 then
    row.p, row.q = row.p + 1, now + patience
  end
  local function text(number) return string.format('%.0f', number) end
  redis.call('HSET', name, 'f', text(row.f), 'u', text(row.u), 'l', text(row.l), 'r', text(row.r), 's', text(row.s), 'p', text(row.p), 'q', text(row.q))
  redis.call('PEXPIRE', name, forgotten)
  for _, number in ipairs({row.f, row.u, row.l, row.r, row.s}) do answer[#answer + 1] = text(number) end
end
return answer`,
};

const FIELDS = 5;

/**
 * Acts on the rows in the store and takes over what it says.
 *
 * @returns the wait in ms; undefined when the store did not answer, and then nothing has changed here
 */
export async function actInStore(
  store: SharedStore,
  act: Act,
  rows: readonly NamedRow[],
): Promise<number | undefined> {
  const rules = [FREE_FAILURES, FIRST_DELAY_MS, LONGEST_DELAY_MS, FORGOTTEN_AFTER_MS, PENDING_MS];
  const known = rows.flatMap(({ row, parallelMax }) => [
    row.failures,
    row.lockedUntilMs,
    row.lastFailedMs,
    row.resetMs,
    row.resets,
    parallelMax,
  ]);
  const names = rows.map(({ name }) => name);
  const answer = await store
    .run(ACT, names, [act, store.clock.now(), ...rules, ...known])
    .catch(() => undefined);
  if (!Array.isArray(answer)) return undefined;
  const [waitMs = 0, ...numbers] = answer.map(Number);
  for (const [at, { row }] of rows.entries()) {
    const from = at * FIELDS;
    row.failures = numbers[from] ?? 0;
    row.lockedUntilMs = numbers[from + 1] ?? 0;
    row.lastFailedMs = numbers[from + 2] ?? 0;
    row.resetMs = numbers[from + 3] ?? 0;
    row.resets = numbers[from + 4] ?? 0;
  }
  return waitMs;
}
