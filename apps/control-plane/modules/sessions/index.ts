export { createIdentify } from "./identify.ts";
export { createLifetime } from "./lifetime.ts";
export { createLogIn } from "./log-in.ts";
export { mountSessions } from "./routes.ts";
export { createSessions } from "./service.ts";
