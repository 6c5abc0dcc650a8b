import type { Demand } from "./demand.ts";

/** The node answers customers nothing but ping, so that there is no name server which could keep what they ask. */
export const nameServerDemand: Demand = {
  id: "name-server",
  why: "a name server would know which names customers ask for",
  isEssential: false,
  check: async () => ({ state: "met", note: "The node offers none; customers ask another's." }),
};
