export { defineClonedLetter } from "./cloned-letter.ts";
export { createCloning } from "./cloning.ts";
export { createGateway } from "./gateway.ts";
export { type NodeRow, stateOf } from "./node.ts";
export { createPeerDirectory } from "./peer-directory.ts";
export type { PeerSource } from "./peer-source.ts";
export { mountNodes } from "./routes.ts";
export type { Nodes } from "./service.ts";
export { createNodes } from "./service.ts";
