export { addFigures } from "./figures.ts";
export { mountHealth } from "./routes.ts";
export { createServiceHealth, type ServiceHealth } from "./service.ts";
