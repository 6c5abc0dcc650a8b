import { DAY_MS, dayOf } from "@securewave/foundation";

/** A length of time in its largest unit: `45 s`, `3 min`, `5 h`, `2 days`. */
export function humanDuration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** A day with its distance from now: `2026-11-20 (3 days ago)`. */
export function humanDay(day: string, nowMs: number): string {
  const days = Math.round((Date.parse(dayOf(nowMs)) - Date.parse(day)) / DAY_MS);
  if (!Number.isFinite(days)) return day;
  if (days === 0) return `${day} (today)`;
  if (days === 1) return `${day} (yesterday)`;
  return days > 0 ? `${day} (${days} days ago)` : day;
}

/** The time of an entry of the trail: a day, or an instant to the second. */
export function timeText(time: string): string {
  return time.replace("T", " ").replace("Z", "");
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** A number of bytes in decimal units: `1.5 MB`. */
export function humanBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${BYTE_UNITS[unit]}`;
}

/** `1 device`, `2 devices`, `2 entries`. */
export function counted(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : `${noun}s`.replace(/(?<=[^aeiou])ys$/, "ies").replace(/(?<=ch)s$/, "es")}`;
}
