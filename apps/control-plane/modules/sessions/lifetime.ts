import { type Clock, DAY_MS, dayOf } from "@securewave/foundation";

export interface LifetimeOptions {
  /** A log-in that is not used for so long ends. */
  readonly refreshDays: number;
  /** Every log-in ends after so long. */
  readonly maxDays: number;
}

/** Which log-ins are not over. */
export interface Validity {
  readonly today: string;
  /** A log-in lasts so long from its first day, whatever last day stands in its row. */
  readonly maxDays: number;
}

/**
 * How long log-ins last. Their ends are days, and the end of all follows from the day on which they were opened:
 * so a shorter one that an operator sets counts for log-ins that are open, too.
 */
export type Lifetime = ReturnType<typeof createLifetime>;

export function createLifetime(clock: Clock, { refreshDays, maxDays }: LifetimeOptions) {
  const inDays = (days: number) => dayOf(clock.now() + days * DAY_MS);
  return {
    validity: (): Validity => ({ today: dayOf(clock.now()), maxDays }),
    /** The last day of a log-in that is opened today and not used again. */
    firstEnd: () => inDays(Math.min(refreshDays, maxDays)),
    /** The last day of one that is used today and not again, but for its end of all. */
    prolongedEnd: () => inDays(refreshDays),
    /** One that would end before this day has more than half of its unused time behind it. */
    halfTime: () => inDays(refreshDays / 2),
    /** How long a cookie of a log-in lives that ends on a day. */
    cookieSeconds: (endsOn: string) => (Date.parse(endsOn) - Date.parse(dayOf(clock.now()))) / 1000,
  };
}
