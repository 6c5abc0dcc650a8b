export type { UapiChange, UapiPeerChange } from "./uapi-change.ts";
export { renderUapiSet } from "./uapi-change.ts";
export type { UapiClient, UapiOptions } from "./uapi-socket.ts";
export { connectUapi } from "./uapi-socket.ts";
export type { UapiPeer, UapiState } from "./uapi-state.ts";
export { parseUapiState } from "./uapi-state.ts";
