const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"] as const;

/** A count of bytes in decimal units with up to three figures: `1.24 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** How long ago something was: `12 s ago`. */
export function formatAge(seconds: number): string {
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  return `${Math.floor(seconds / 3600)} h ago`;
}

/** `2026-11-20` in the reader's own way. */
export function formatDay(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" }).format(date);
}

/** A day (`2026-11-20`) or an instant, in the reader's own way. */
export function formatMoment(time: string): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(time)) return formatDay(time);
  const instant = new Date(time);
  if (Number.isNaN(instant.valueOf())) return time;
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }).format(instant);
}

export function formatCount(count: number): string {
  return new Intl.NumberFormat().format(count);
}

/** `8.4 ms`, `120 ms`. */
export function formatMilliseconds(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 99.95 ? 1 : 0)} ms`;
}

/** A share from 0 to 1: `34 %`. */
export function formatShare(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** `1 device`, `2 devices`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A span that is counted down: `4:05`, `1:02:09`. */
export function formatCountdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const two = (part: number) => String(part).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** A span in its greatest whole unit, rounded up: `5 minutes`. */
export function formatSpan(seconds: number): string {
  if (seconds < 60) return plural(Math.max(1, Math.ceil(seconds)), "second");
  if (seconds < 5400) return plural(Math.ceil(seconds / 60), "minute");
  if (seconds < 129_600) return plural(Math.ceil(seconds / 3600), "hour");
  return plural(Math.ceil(seconds / 86_400), "day");
}
