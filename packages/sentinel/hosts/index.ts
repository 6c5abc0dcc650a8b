export type { Hosts } from "./hosts.ts";
export { createHosts } from "./hosts.ts";
export { createHostStep } from "./step.ts";
