import type { RouteSpec } from "@securewave/contracts";
import { sentinelErrors } from "@securewave/contracts/sentinel";
import type { Clock } from "@securewave/foundation";
import { deriveKey } from "@securewave/foundation/derive";
import type { Step } from "@securewave/sentinel";
import { type Block, createBlocklist } from "@securewave/sentinel/blocklist";
import { createChallengeStep, createChallenges } from "@securewave/sentinel/bot";
import { createCsrf } from "@securewave/sentinel/csrf";
import { createFailures } from "@securewave/sentinel/failures";
import { createHosts } from "@securewave/sentinel/hosts";
import { createDayKeys, createOrigins } from "@securewave/sentinel/origins";
import { createRateLimits, type Policy, tellLimits, type Verdict } from "@securewave/sentinel/rate-limit";
import { createSharedDayKeys, namesOf, openSharedStore } from "@securewave/sentinel/redis";
import { createReputation, readLists } from "@securewave/sentinel/reputation";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Config, publicUrlOf } from "./config.ts";
import type { RateLimitType, Telemetry } from "./http/telemetry.ts";
import { describeError, type Logger } from "./logger.ts";

export interface SecurityOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  /** What keys of the security layer are derived from; the same in all replicas. */
  readonly secret: string;
  /** Hears of each origin that is blocked for what it did. */
  readonly onBlocked: (block: Block) => void;
}

export type Security = ReturnType<typeof createSecurity>;

const RELOAD_LISTS_MS = 60 * 60 * 1000;
/** After a list could not be read; doubled each time. */
const RETRY_LISTS_MS = 10_000;
const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"];
/** Answers 1 to the first that spends a name. */
const SPEND = {
  name: "spendOnce",
  lua: "return redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[1]) and 1 or 0",
};

/** Everything of the security layer that lives in memory: shared over Redis where there is one. */
export function createSecurity(options: SecurityOptions) {
  const { config, clock, logger, telemetry, secret, onBlocked } = options;
  const keyFor = (purpose: string) => deriveKey(secret, `sentinel ${purpose}`);
  const store = config.redisUrl
    ? openSharedStore({
        url: config.redisUrl.reveal(),
        clock,
        key: keyFor("shared store"),
        onStateChange: (state) => logger.warn(state === "up" ? "redis_up" : "redis_down"),
        persistence: config.redisPersistence,
        onExamined: ({ findings, refused }) => {
          const names = namesOf(refused.length > 0 ? refused : findings);
          if (refused.length > 0) logger.error("redis_demands_unmet", { internal: names });
          else if (names !== "") logger.info("redis_demands", { internal: names });
        },
      })
    : undefined;
  const shared = store ? { store } : {};
  const localDayKeys = createDayKeys(clock);
  const dayKeys = store ? createSharedDayKeys(store, localDayKeys) : localDayKeys;
  const limits = createRateLimits({ clock, ...shared });
  const blocklist = createBlocklist({
    clock,
    ...shared,
    onBlocked,
    violationsMax: config.limits.blockThreshold,
    failedLogInsMax: config.limits.failedLogInsMax,
  });
  const failures = createFailures({ clock, attackPerMinute: config.limits.attackPerMinute, ...shared });
  const hosts = hostsOf(config);
  const publicOrigin = new URL(publicUrlOf(config)).origin;
  const csrf = createCsrf({
    key: keyFor("csrf"),
    isOwnOrigin: (origin, host) => origin === publicOrigin || isOriginOf(origin, host),
  });
  const challenges = createChallenges({
    key: keyFor("challenges"),
    clock,
    ...(store && {
      spend: async (id: string, lifeSeconds: number) =>
        Number(await store.run(SPEND, [store.nameOf("spent", id)], [lifeSeconds * 1000])) === 1,
    }),
  });
  const reputation = createReputation();

  async function loadLists(): Promise<void> {
    const { blockLists, allowLists } = config.reputation;
    for (const [list, sources] of [
      ["allow", allowLists],
      ["block", blockLists],
    ] as const) {
      if (sources.length === 0) continue;
      const { networks, badLines } = await reputation.replace(list, readLists(sources));
      logger.info("reputation_loaded", { count: networks });
      if (badLines > 0) logger.warn("reputation_bad_lines", { count: badLines });
    }
  }
  let reloading: NodeJS.Timeout | undefined;
  let retryMs = RETRY_LISTS_MS;
  let isClosed = false;
  async function keepListsFresh(): Promise<void> {
    let waitMs = RELOAD_LISTS_MS;
    try {
      await loadLists();
      retryMs = RETRY_LISTS_MS;
    } catch (error) {
      logger.error("reputation_failed", describeError(error));
      waitMs = retryMs;
      retryMs = Math.min(2 * retryMs, RELOAD_LISTS_MS);
    }
    if (isClosed) return;
    reloading = setTimeout(() => void keepListsFresh(), waitMs);
    reloading.unref();
  }
  void keepListsFresh();

  const { globalPerMinute, originPerMinute, userPerMinute, sensitivePerMinute } = config.limits;
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
    hosts,
    csrf,
    challenges,
    blocklist,
    failures,
    reputation,
    originOf: createOrigins(dayKeys),

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

    /** The proof of work that is demanded while too many log-ins fail. */
    challengeFor: (purpose: NonNullable<RouteSpec["challenge"]>): Step =>
      createChallengeStep({ challenges, isNeeded: () => failures.isUnderAttack(), purposeOf: () => purpose }),

    /** What replicas share; undefined without a Redis. */
    sharedStore: store,
    storeState: () => store?.state(),
    storeExamination: () => store?.examination(),
    examineStore: async () => store?.examine(),
    async close(): Promise<void> {
      isClosed = true;
      clearTimeout(reloading);
      limits.close();
      blocklist.close();
      failures.close();
      await store?.close();
    },
  };
}

/** Health is asked for by machines that must get an answer; pages and their files are no work. */
function isCounted({ routeOptions: { url } }: FastifyRequest): boolean {
  return url?.startsWith("/api/") === true && !url.startsWith("/api/health");
}

/** Any name where none is given: somebody who tries the service out reaches it by whatever name there is. */
function hostsOf({ http: { trustedHosts, publicUrl } }: Config) {
  if (trustedHosts.length === 0 && publicUrl === undefined) return createHosts(["*"]);
  const own = publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
  // In a `Host` header IPv6 addresses stand in brackets.
  const given = trustedHosts.map((host) => (host.includes(":") ? `[${host}]` : host));
  return createHosts([...given, ...own, ...LOOPBACK_NAMES]);
}

function hasCredential({ headers }: FastifyRequest): boolean {
  return headers.authorization !== undefined || headers.cookie !== undefined;
}

function isOriginOf(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host;
}
