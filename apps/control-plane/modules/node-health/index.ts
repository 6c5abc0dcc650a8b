export { createHealth } from "./health.ts";
export { openProbing } from "./probing.ts";
export { mountNodeHealth } from "./routes.ts";
