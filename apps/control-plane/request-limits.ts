import type { RouteSpec } from "@securewave/contracts";
import { sentinelErrors } from "@securewave/contracts/sentinel";
import type { Blocklist } from "@securewave/sentinel/blocklist";
import { type Policy, type RateLimits, tellLimits, type Verdict } from "@securewave/sentinel/rate-limit";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Config } from "./config.ts";
import type { RateLimitType, Telemetry } from "./http/telemetry.ts";

export interface RequestLimitsOptions {
  readonly limits: RateLimits;
  readonly perMinute: Config["limits"];
  readonly blocklist: Blocklist;
  readonly telemetry: Telemetry;
}

/** How many requests a minute are let in, of whom. */
export function createRequestLimits({ limits, perMinute, blocklist, telemetry }: RequestLimitsOptions) {
  const { globalPerMinute, originPerMinute, userPerMinute, sensitivePerMinute } = perMinute;
  const minute = (name: RateLimitType, limit: number) => ({ name, limit, windowSeconds: 60 });
  const byUser = minute("user", userPerMinute);
  const byOrigin = minute("ip", originPerMinute);
  const falseCredentials = minute("credential", originPerMinute);
  const sensitive = minute("route", sensitivePerMinute);

  function refuse(type: RateLimitType, request: FastifyRequest, verdict: Verdict): never {
    telemetry.countRateLimit(type);
    blocklist.violated(request.origin.tag);
    throw sentinelErrors.tooManyRequests({ retryAfterSeconds: verdict.resetSeconds });
  }

  async function count(
    policy: Policy & { name: RateLimitType },
    key: string,
    request: FastifyRequest,
    reply: FastifyReply,
  ) {
    const taken = limits.take(policy, key);
    const verdict = taken instanceof Promise ? await taken : taken;
    tellLimits(reply, [[policy, verdict]]);
    if (!verdict.isAllowed) refuse(policy.name, request, verdict);
  }

  return {
    /** Of all together, before anything else is done for a request. */
    global: {
      limits,
      policies: [
        {
          policy: minute("global", globalPerMinute),
          isHidden: true, // what is left of it would tell how busy the service is
          keyOf: (request: FastifyRequest) => (isCounted(request) ? "all" : undefined),
        },
      ],
      onRefused: () => telemetry.countRateLimit("global"),
    },

    /** Looks whether more credentials may be tried from an origin. */
    async limitBefore(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      if (!hasCredential(request)) return;
      const verdict = limits.look(falseCredentials, request.origin.tag);
      if (verdict.isAllowed) return;
      tellLimits(reply, [[falseCredentials, verdict]]);
      refuse("credential", request, verdict);
    },

    /**
     * Whoever is logged in counts for the account, so that many customers behind one address do not use up each
     * other's requests; everybody else for the origin.
     */
    async limitAfter(spec: RouteSpec, request: FastifyRequest, reply: FastifyReply): Promise<void> {
      const { caller, origin } = request;
      if (caller?.apiKey) {
        const { requestsPerMinute } = caller.apiKey;
        await count(minute("api_key", requestsPerMinute), caller.credentialId, request, reply);
      } else if (caller) await count(byUser, caller.accountId, request, reply);
      else {
        if (spec.access !== "anyone" && hasCredential(request))
          await limits.take(falseCredentials, origin.tag);
        await count(byOrigin, origin.tag, request, reply);
      }
      if (spec.limit === "sensitive")
        await count(sensitive, `${spec.path} ${caller?.accountId ?? origin.tag}`, request, reply);
    },

    /** Nodes send no origin; a page of another site does, and must not open their socket. */
    async admitNode(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      if (request.headers.origin !== undefined) throw sentinelErrors.forgedRequest();
      await count(byOrigin, request.origin.tag, request, reply);
    },
  };
}

/** Health is asked for by machines that must get an answer; pages and their files are no work. */
function isCounted({ routeOptions: { url } }: FastifyRequest): boolean {
  return url?.startsWith("/api/") === true && !url.startsWith("/api/health");
}

function hasCredential({ headers }: FastifyRequest): boolean {
  return headers.authorization !== undefined || headers.cookie !== undefined;
}
