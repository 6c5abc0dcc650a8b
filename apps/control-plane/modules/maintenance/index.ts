export { defineMaintenanceLetters } from "./letters.ts";
export type { ServiceMode } from "./mode.ts";
export { createServiceMode } from "./mode.ts";
export { mountMaintenance } from "./routes.ts";
export type { MaintenanceWindows } from "./windows.ts";
export { createMaintenanceWindows } from "./windows.ts";
