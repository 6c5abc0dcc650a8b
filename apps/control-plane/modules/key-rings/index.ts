export { mountKeyRings } from "./routes.ts";
export { openKeyRings } from "./service.ts";
