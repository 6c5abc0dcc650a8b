import { AgentError } from "../errors.ts";
import { forgetFlows } from "../traces.ts";
import { type Demand, failed, met } from "./demand.ts";

/** Whether flows of connection tracking can be removed at all. */
export function flowsDemand(forget: typeof forgetFlows = forgetFlows): Demand {
  return {
    id: "flows",
    why: "what customers were connected to would be known for hours",
    isEssential: true,
    async check() {
      try {
        await forget([]);
        return met;
      } catch (error) {
        return failed(error instanceof AgentError ? error.message : "Flows cannot be removed.");
      }
    },
  };
}
