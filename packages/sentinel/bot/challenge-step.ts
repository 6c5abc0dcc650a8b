import { SOLUTION_HEADER } from "@securewave/contracts/challenge";
import { sentinelErrors } from "@securewave/contracts/sentinel";
import type { FastifyRequest } from "fastify";
import type { Step } from "../step.ts";
import type { Challenges } from "./challenges.ts";

export interface ChallengeStepOptions {
  readonly challenges: Pick<Challenges, "check">;
  /** Whether this request must come with a proof of work: always, or while many log-ins fail. */
  readonly isNeeded: (request: FastifyRequest) => boolean;
  /** What a proof must have been made for to let this request through. */
  readonly purposeOf: (request: FastifyRequest) => string;
}

/**
 * Demands a solved challenge in the header `X-Challenge-Solution`.
 *
 * @throws sentinel.challenge_required, sentinel.challenge_failed
 */
export function createChallengeStep({ challenges, isNeeded, purposeOf }: ChallengeStepOptions): Step {
  return (request) => {
    if (!isNeeded(request)) return;
    const solution = request.headers[SOLUTION_HEADER];
    if (typeof solution !== "string") throw sentinelErrors.challengeRequired();
    return challenges.check(purposeOf(request), solution);
  };
}
