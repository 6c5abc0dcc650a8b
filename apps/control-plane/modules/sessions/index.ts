export { createAccessTokens } from "./access-token.ts";
export { mountSessions } from "./routes.ts";
export { createSessions } from "./service.ts";
