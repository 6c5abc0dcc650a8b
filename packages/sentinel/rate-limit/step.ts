import { sentinelErrors } from "@securewave/contracts/sentinel";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Step } from "../step.ts";
import { tellLimits } from "./headers.ts";
import type { Policy, Verdict } from "./policy.ts";
import type { Asked, RateLimits } from "./rate-limits.ts";

export interface LimitedBy {
  /** A function where the limit differs, as for API keys that have their own. */
  readonly policy: Policy | ((request: FastifyRequest) => Policy);
  /** What is counted; a request for which it is undefined is exempt from this policy. */
  readonly keyOf: (request: FastifyRequest) => string | undefined;
  /** Left out of the headers: what remains of a budget that all share would tell each how busy the others are. */
  readonly isHidden?: boolean;
}

export interface RateLimitStepOptions {
  readonly limits: RateLimits;
  readonly policies: readonly LimitedBy[];
  /** Routes that are never counted, as they were registered: `/api/health`. */
  readonly exemptRoutes?: readonly string[];
  /** Is called for each policy that refuses a request: for metrics, and for blocking who goes on. */
  readonly onRefused?: (policyName: string, request: FastifyRequest) => void;
}

/**
 * Counts a request against all policies in one go; one that is refused counts against none.
 *
 * @throws sentinel.too_many_requests
 */
export function createRateLimitStep(options: RateLimitStepOptions): Step {
  const { limits, policies } = options;
  const exemptRoutes = new Set(options.exemptRoutes);

  function questionsOf(request: FastifyRequest): Question[] {
    const questions: Question[] = [];
    for (const { policy, keyOf, isHidden = false } of policies) {
      const key = keyOf(request);
      if (key === undefined) continue;
      questions.push({ asked: [typeof policy === "function" ? policy(request) : policy, key], isHidden });
    }
    return questions;
  }

  return (request, reply) => {
    if (exemptRoutes.size > 0 && exemptRoutes.has(request.routeOptions.url ?? "")) return undefined;
    const questions = questionsOf(request);
    const verdicts = limits.takeAll(questions.map(({ asked }) => asked));
    const judge = (settled: readonly Verdict[]) => {
      tell(questions, settled, reply);
      refuse(questions, settled, request, reply, options.onRefused);
    };
    return verdicts instanceof Promise ? verdicts.then(judge) : judge(verdicts);
  };
}

interface Question {
  readonly asked: Asked;
  readonly isHidden: boolean;
}

function tell(questions: readonly Question[], verdicts: readonly Verdict[], reply: FastifyReply): void {
  const told: [Policy, Verdict][] = [];
  for (let at = 0; at < verdicts.length; at++) {
    const question = questions[at];
    const verdict = verdicts[at];
    if (question && verdict && !question.isHidden) told.push([question.asked[0], verdict]);
  }
  tellLimits(reply, told);
}

function refuse(
  questions: readonly Question[],
  verdicts: readonly Verdict[],
  request: FastifyRequest,
  reply: FastifyReply,
  onRefused: RateLimitStepOptions["onRefused"],
): void {
  let retryAfterSeconds = 0;
  for (const [at, { isAllowed, resetSeconds }] of verdicts.entries()) {
    if (isAllowed) continue;
    retryAfterSeconds = Math.max(retryAfterSeconds, resetSeconds);
    onRefused?.(questions[at]?.asked[0].name ?? "", request);
  }
  if (retryAfterSeconds === 0) return;
  reply.header("retry-after", String(retryAfterSeconds));
  throw sentinelErrors.tooManyRequests({ retryAfterSeconds });
}
