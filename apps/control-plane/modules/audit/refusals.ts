import type { Act } from "./act.ts";

const FLUSH_MS = 5_000;
/** While an attack goes on, lines are written ever more seldom, down to this. */
const FLUSH_MS_MAX = 10 * 60_000;
/** Sorts kept apart until the next flush; what is more is counted in one line for each kind. */
const APART_MAX = 50;

type Counted = Extract<Act, { kind: "login_refused" | "block_added" }>;

/**
 * Gathers what happens in attacks, so that one writes a few lines with counts and not one for each try: like things
 * as one, all beyond a number as one more, and longer gathered the more there is. What is gathered and not yet
 * written is lost when the process is killed.
 *
 * @param write puts acts into the trail
 */
export function createRefusals(
  write: (acts: readonly Act[]) => Promise<void>,
  onError: (error: unknown) => void,
) {
  let counted = new Map<string, Counted & { readonly count: number }>();
  let flushing: NodeJS.Timeout | undefined;
  let delayMs = FLUSH_MS;
  let isClosed = false;

  function count(act: Counted, times: number): void {
    const key = JSON.stringify([act.kind, act.subject, act.origin, act.details]);
    const isApart = counted.has(key) || counted.size < APART_MAX;
    const [row, at] = isApart ? [act, key] : [overflowOf(act), act.kind];
    counted.set(at, { ...row, count: (counted.get(at)?.count ?? 0) + times });
  }

  function flushLater(): void {
    if (isClosed) return;
    flushing ??= setTimeout(() => flush().catch(onError), delayMs).unref();
  }

  async function flush(): Promise<void> {
    clearTimeout(flushing);
    flushing = undefined;
    const gathered = [...counted.values()];
    if (gathered.length === 0) return;
    const hasOverflown = gathered.length > APART_MAX;
    delayMs = hasOverflown ? Math.min(delayMs * 2, FLUSH_MS_MAX) : FLUSH_MS;
    counted = new Map();
    try {
      await write(gathered.map(actOf));
    } catch (error) {
      for (const { count: times, ...act } of gathered) count(act, times);
      flushLater();
      throw error;
    }
  }

  return {
    add(act: Counted): void {
      count(act, 1);
      flushLater();
    },
    flush,
    /** @returns once all that was gathered is written */
    async close(): Promise<void> {
      isClosed = true;
      await flush();
    },
  };
}

export type CountedAct = Counted;

function actOf({ count, ...act }: Counted & { readonly count: number }): Act {
  return act.kind === "login_refused"
    ? { ...act, details: { ...act.details, count } }
    : { ...act, details: { ...act.details, count } };
}

/** One line for what is too much to be told apart. */
function overflowOf(act: Counted): Counted {
  const { origin: _origin, ...rest } = act;
  return { ...rest, subject: "unknown" };
}
