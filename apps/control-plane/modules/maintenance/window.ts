import {
  type api,
  type BodyOf,
  MAINTENANCE_MODES,
  type Maintenance,
  type MaintenanceMode,
  statusErrors,
} from "@securewave/contracts";
import type { Tables } from "@securewave/database";
import { DAY_MS, HOUR_MS } from "@securewave/foundation";
import type { Selectable } from "kysely";

export type WindowRow = Selectable<Tables["maintenance_windows"]>;
export type WindowChange = BodyOf<typeof api.statusDesk.reschedule>;

export const NOTICE_MS = 24 * HOUR_MS;
const LENGTH_MAX_MS = 7 * DAY_MS;
const AHEAD_MAX_MS = 366 * DAY_MS;

export function strictest(modes: readonly MaintenanceMode[]): MaintenanceMode {
  return modes.reduce(
    (strict, mode) => (MAINTENANCE_MODES.indexOf(mode) > MAINTENANCE_MODES.indexOf(strict) ? mode : strict),
    "off",
  );
}

export function stateOf(
  { is_cancelled, starts_at, ends_at }: WindowRow,
  nowMs: number,
): Maintenance["state"] {
  if (is_cancelled) return "cancelled";
  if (nowMs < +starts_at) return "scheduled";
  return nowMs < +ends_at ? "active" : "over";
}

/** Whether customers could prepare for it. Minutes of any other maintenance count as what they are. */
export function isAnnounced({ is_cancelled, is_emergency }: WindowRow): boolean {
  return !is_cancelled && !is_emergency;
}

/** Whether it concerns a part of the service. */
export function concerns({ components }: WindowRow, component: string): boolean {
  return components.length === 0 || components.includes(component);
}

/** @throws status.wrong_times, status.too_soon */
export function demandTimes(
  { starts_at, ends_at, is_emergency }: Pick<WindowRow, "starts_at" | "ends_at" | "is_emergency">,
  nowMs: number,
): void {
  const [startsMs, endsMs] = [+starts_at, +ends_at];
  const isAhead = startsMs >= nowMs && startsMs - nowMs <= AHEAD_MAX_MS;
  const isInOrder = endsMs > startsMs && endsMs - startsMs <= LENGTH_MAX_MS;
  if (!isAhead || !isInOrder) throw statusErrors.wrongTimes();
  if (!is_emergency && startsMs - nowMs < NOTICE_MS) throw statusErrors.tooSoon();
}

/**
 * What is to be written of a change, and whether customers must hear of it: what is moved, longer, stricter or of other
 * parts is announced anew, with the same notice.
 *
 * @throws status.wrong_times, status.too_soon
 */
export function changeOf(before: WindowRow, input: WindowChange, nowMs: number) {
  const { starts_at, ends_at, ...rest } = input;
  const change = {
    ...rest,
    ...(starts_at === undefined ? {} : { starts_at: new Date(starts_at) }),
    ...(ends_at === undefined ? {} : { ends_at: new Date(ends_at) }),
  };
  const after = { ...before, ...change };
  const isTold = isMore(before, after) || input.components !== undefined || input.is_emergency === false;
  if (isTold) demandTimes(after, nowMs);
  else if (+after.ends_at <= +after.starts_at) throw statusErrors.wrongTimes();
  return { change, isTold };
}

function isMore(before: WindowRow, after: WindowRow): boolean {
  const isMoved = +after.starts_at !== +before.starts_at || +after.ends_at > +before.ends_at;
  return isMoved || strictest([before.mode, after.mode]) !== before.mode;
}

export function viewOf(row: WindowRow, nowMs: number): Maintenance {
  const { id, title, text, components, mode, is_emergency, notifies } = row;
  return {
    ...{ id, title, text, components, mode, is_emergency, notifies },
    starts_at: row.starts_at.toISOString(),
    ends_at: row.ends_at.toISOString(),
    announced_at: row.announced_at.toISOString(),
    state: stateOf(row, nowMs),
  };
}
