export { createIncidents } from "./incidents.ts";
export { addStatusPage, mountStatus } from "./routes.ts";
export { createStatus } from "./service.ts";
