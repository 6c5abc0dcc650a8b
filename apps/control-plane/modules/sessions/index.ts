export { createAccessTokens } from "./access-token.ts";
export { mountSessions } from "./routes.ts";
export type { Sessions } from "./service.ts";
export { createSessions } from "./service.ts";
