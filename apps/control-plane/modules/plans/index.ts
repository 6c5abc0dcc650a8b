export type { Plan } from "./plan.ts";
export { mountPlans } from "./routes.ts";
export { openPlans, type Plans } from "./service.ts";
