export { mountApiKeys } from "./routes.ts";
export type { ApiKeys } from "./service.ts";
export { createApiKeys } from "./service.ts";
