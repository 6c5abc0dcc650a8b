export { mountDatabase } from "./routes.ts";
export { createDatabaseDesk } from "./service.ts";
