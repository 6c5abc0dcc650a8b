export { mountKeyRings } from "./routes.ts";
export type { KeyRings, KeyRingsOptions } from "./service.ts";
export { openKeyRings } from "./service.ts";
