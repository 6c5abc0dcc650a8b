export { mountApiKeys } from "./routes.ts";
export { createApiKeys } from "./service.ts";
