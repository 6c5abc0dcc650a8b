export type { Failures, FailuresOptions, LockState } from "./failures.ts";
export { createFailures } from "./failures.ts";
