import { sentinelErrors } from "@securewave/contracts/sentinel";
import { type Clock, SECOND_MS } from "@securewave/foundation";
import type { Step } from "../step.ts";
import type { Blocklist } from "./blocklist.ts";

/** @throws sentinel.blocked while a block holds the request's origin */
export function createBlocklistStep(blocklist: Pick<Blocklist, "find">, clock: Clock): Step {
  return (request, reply) => {
    const block = blocklist.find(request.origin);
    if (!block) return;
    const retryAfterSeconds = Math.max(1, Math.ceil((block.until - clock.now()) / SECOND_MS));
    reply.header("retry-after", String(retryAfterSeconds));
    throw sentinelErrors.blocked({ retryAfterSeconds });
  };
}
