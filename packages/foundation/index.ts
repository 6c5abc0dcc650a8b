export type { Clock, ManualClock } from "./clock.ts";
export { createManualClock, DAY_MS, dayOf, HOUR_MS, MINUTE_MS, SECOND_MS, systemClock } from "./clock.ts";
export type { InputIssue, Refusal, RefusalOptions, RefusalSpec } from "./errors.ts";
export { defineErrors, isRefusalOf, RefusalError } from "./errors.ts";
export { parseEventLine } from "./event-line.ts";
export type { IdKind, RandomBytes } from "./ids.ts";
export { createId, ID_PREFIXES, idPattern } from "./ids.ts";
export { InvariantError, invariant } from "./invariant.ts";
