export type { ExpiringMap, ExpiringMapOptions } from "./expiring-map.ts";
export { createExpiringMap } from "./expiring-map.ts";
export { tellLimits } from "./headers.ts";
export type { Policy, Verdict } from "./policy.ts";
export type { Asked, RateLimits, RateLimitsOptions } from "./rate-limits.ts";
export { createRateLimits } from "./rate-limits.ts";
export type { LimitedBy, RateLimitStepOptions } from "./step.ts";
export { createRateLimitStep } from "./step.ts";
