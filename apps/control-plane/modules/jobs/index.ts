export { mountJobs } from "./routes.ts";
export { createJobDesk } from "./service.ts";
