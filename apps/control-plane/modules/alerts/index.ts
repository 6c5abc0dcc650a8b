export { createHeartbeat } from "./heartbeat.ts";
export { mountAlerts } from "./routes.ts";
export { type Alerts, createAlerts } from "./service.ts";
