export type { ListedBy, LoadReport, Reputation } from "./reputation.ts";
export { createReputation } from "./reputation.ts";
export type { SourceOptions } from "./sources.ts";
export { readLists } from "./sources.ts";
export { createReputationStep } from "./step.ts";
