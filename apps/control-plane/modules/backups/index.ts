export type { AuditedBackups } from "./audited.ts";
export { openBackups } from "./open.ts";
export { mountBackups } from "./routes.ts";
