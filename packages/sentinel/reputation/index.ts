export type { ListedBy, LoadReport, Reputation } from "./reputation.ts";
export { createReputation } from "./reputation.ts";
export { readLists } from "./sources.ts";
export { createReputationStep } from "./step.ts";
