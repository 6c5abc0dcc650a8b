/** A timer that holds no process open. Longer waits are cut: what is done earlier does no harm. */
export interface Alarm {
  set(milliseconds: number): void;
  stop(): void;
}

/** Anything valid for longer is looked after once a day. */
const WAIT_MAX_MS = 24 * 60 * 60 * 1000;

export function createAlarm(ring: () => void): Alarm {
  let timer: NodeJS.Timeout | undefined;
  return {
    set(milliseconds) {
      clearTimeout(timer);
      timer = setTimeout(ring, Math.min(Math.max(milliseconds, 0), WAIT_MAX_MS)).unref();
    },
    stop: () => clearTimeout(timer),
  };
}

/** The part of a life after which it is prolonged, so that two further tries still come in time. */
const RENEWED_AFTER = 2 / 3;
const TRY_AGAIN_MAX_MS = 30_000;
const TRY_AGAIN_MIN_MS = 250;
const TRY_AGAIN_WHEN_OVER_MS = 5_000;

export function renewalMs(lifeMs: number): number {
  return lifeMs * RENEWED_AFTER;
}

/** The pause before another try, when so much is left of a life. */
export function nextTryMs(leftMs: number): number {
  if (leftMs <= 0) return TRY_AGAIN_WHEN_OVER_MS;
  return Math.min(Math.max(leftMs / 3, TRY_AGAIN_MIN_MS), TRY_AGAIN_MAX_MS);
}
