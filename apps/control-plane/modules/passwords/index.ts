export { mountPasswords } from "./routes.ts";
export { createPasswords } from "./service.ts";
