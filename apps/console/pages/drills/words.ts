const HOUR_SECONDS = 3600;

/** A time that was measured, or a target: `0.4 s`, `12 s`, `2 h`. */
export function secondsText(seconds: number | null): string {
  if (seconds === null) return "none";
  if (seconds >= HOUR_SECONDS) return `${Math.round((10 * seconds) / HOUR_SECONDS) / 10} h`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}
