export type { History, Sample } from "./history.ts";
export { createHistory } from "./history.ts";
export type { AlertRule, Condition, Severity } from "./rule.ts";
export { anchorOf, isWatched } from "./rule.ts";
export { alertRules } from "./rules/index.ts";
