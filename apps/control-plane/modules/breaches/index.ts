export { mountBreaches } from "./routes.ts";
export { createBreaches } from "./service.ts";
