export { mountServers } from "./routes.ts";
export type { PlaceWish, Servers } from "./service.ts";
export { createServers } from "./service.ts";
