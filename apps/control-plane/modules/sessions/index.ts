export { createIdentify } from "./identify.ts";
export { createLifetime } from "./lifetime.ts";
export { createLogIn } from "./log-in.ts";
export { mountSessions } from "./routes.ts";
export type { Sessions } from "./service.ts";
export { createSessions } from "./service.ts";
