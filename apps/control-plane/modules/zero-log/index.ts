export { addZeroLogPage, mountZeroLog } from "./routes.ts";
export type { Prepared, ZeroLog } from "./service.ts";
export { createZeroLog } from "./service.ts";
