export type { Health } from "./health.ts";
export { createHealth } from "./health.ts";
export { openProbing } from "./probing.ts";
export { mountNodeHealth } from "./routes.ts";
