export { mountDrills } from "./routes.ts";
export { createDrills } from "./service.ts";
