import { sentinelErrors } from "@securewave/contracts/sentinel";
import type { Step } from "../step.ts";
import type { Reputation } from "./reputation.ts";

/** @throws sentinel.blocked for an address on a block list and on no allow list */
export function createReputationStep(reputation: Pick<Reputation, "find">): Step {
  return (request) => {
    if (reputation.find(request.origin.address) === "block") throw sentinelErrors.blocked();
  };
}
