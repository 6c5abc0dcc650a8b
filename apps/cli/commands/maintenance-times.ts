import { InvalidArgumentError } from "@commander-js/extra-typings";
import type { Maintenance } from "@securewave/contracts";
import { duration } from "../duration.ts";
import { timeText } from "../human.ts";

/** As the contract has it: a week. */
const MINUTES_MAX = 10_080;

/** How long maintenance takes, in minutes. */
export const maintenanceLength = duration("m", MINUTES_MAX);

/** `2026-11-24 02:00 to 04:00` */
export function spanText({ starts_at, ends_at }: Pick<Maintenance, "starts_at" | "ends_at">): string {
  const [from, until] = [starts_at, ends_at].map((instant) => timeText(instant).slice(0, 16));
  return `${from} to ${from?.slice(0, 10) === until?.slice(0, 10) ? until?.slice(11) : until}`;
}

/** Milliseconds since 1970. */
export function utcTime(text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}Z?$/.test(text)
    ? Date.parse(`${text.replace(" ", "T").replace("Z", "")}:00Z`)
    : Number.NaN;
  if (Number.isNaN(ms)) throw new InvalidArgumentError("A time in UTC such as 2026-11-24T02:00 is wanted.");
  return ms;
}
