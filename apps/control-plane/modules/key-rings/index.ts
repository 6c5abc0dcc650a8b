export { mountKeyRings } from "./routes.ts";
export type { KeyRingsOptions } from "./service.ts";
export { openKeyRings } from "./service.ts";
