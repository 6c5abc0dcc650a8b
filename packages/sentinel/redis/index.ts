export type { StoreState } from "./availability.ts";
export { createSharedDayKeys } from "./day-keys.ts";
export type { Finding, PersistencePolicy, Weight } from "./demands.ts";
export { namesOf, PERSISTENCE_POLICIES, redisErrors, refusalOf, refusedOf } from "./demands.ts";
export { examineOnce } from "./examine.ts";
export type { Subscriber } from "./listener.ts";
export { isSentinelUrl, parseSentinelUrl } from "./sentinel-url.ts";
export type { Examination, Script, SharedStore, SharedStoreOptions } from "./store.ts";
export { openSharedStore } from "./store.ts";
