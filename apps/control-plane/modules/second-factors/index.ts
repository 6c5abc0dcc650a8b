export { mountSecondFactors } from "./routes.ts";
export type { SecondFactors } from "./service.ts";
export { createSecondFactors } from "./service.ts";
