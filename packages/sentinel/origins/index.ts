export { canonicalAddress, networkOf } from "./address.ts";
export type { DayKeys } from "./day-keys.ts";
export { createDayKeys } from "./day-keys.ts";
export type { Origin } from "./origins.ts";
export { createOriginStep, createOrigins } from "./origins.ts";
export { trustedProxies } from "./trusted-proxies.ts";
