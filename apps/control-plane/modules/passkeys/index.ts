export { mountPasskeys } from "./routes.ts";
export type { Passkeys } from "./service.ts";
export { createPasskeys } from "./service.ts";
