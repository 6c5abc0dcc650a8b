export { defineMaintenanceLetters } from "./letters.ts";
export { mountMaintenance } from "./routes.ts";
export type { MaintenanceDesk } from "./service.ts";
export { createMaintenance } from "./service.ts";
