export type { Act } from "./act.ts";
export { examineTrail } from "./examine.ts";
export { mountAudit } from "./routes.ts";
export type { Audit } from "./service.ts";
export { createAudit } from "./service.ts";
