export type { StoreState } from "./availability.ts";
export { createSharedDayKeys } from "./day-keys.ts";
export type { Subscriber } from "./listener.ts";
export type { Script, SharedStore, SharedStoreOptions } from "./store.ts";
export { openSharedStore } from "./store.ts";
