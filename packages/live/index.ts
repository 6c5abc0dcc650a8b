export type { ConnectionState, Connections, PeerCounters } from "./connections.ts";
export { CONNECTED_WITHIN_SECONDS, createConnections } from "./connections.ts";
export type { NodePresence, Presence } from "./presence.ts";
export { createPresence } from "./presence.ts";
export { floorOf, rangeOf } from "./ranges.ts";
