import type { RouteSpec } from "@securewave/contracts";
import type { Clock } from "@securewave/foundation";
import type { Step } from "@securewave/sentinel";
import { type Block, createBlocklist } from "@securewave/sentinel/blocklist";
import { createChallengeStep, createChallenges } from "@securewave/sentinel/bot";
import { createCsrf } from "@securewave/sentinel/csrf";
import { createFailures } from "@securewave/sentinel/failures";
import { createHosts } from "@securewave/sentinel/hosts";
import { createDayKeys, createOrigins } from "@securewave/sentinel/origins";
import { createRateLimits } from "@securewave/sentinel/rate-limit";
import { createSharedDayKeys, namesOf, openSharedStore } from "@securewave/sentinel/redis";
import { type Config, publicUrlOf } from "./config.ts";
import type { Telemetry } from "./http/telemetry.ts";
import type { Logger } from "./logger.ts";
import { keepReputation } from "./reputation-lists.ts";
import { createRequestLimits } from "./request-limits.ts";

export interface SecurityOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  /** A key for one purpose, the same in all replicas. */
  readonly keyFor: (purpose: string) => Buffer;
  /** Hears of each origin that is blocked for what it did. */
  readonly onBlocked: (block: Block) => void;
}

export type Security = ReturnType<typeof createSecurity>;

const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"];
/** Answers 1 to the first that spends a name. */
const SPEND = {
  name: "spendOnce",
  lua: "return redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[1]) and 1 or 0",
};

/** Everything of the security layer that lives in memory: shared over Redis where there is one. */
export function createSecurity(options: SecurityOptions) {
  const { config, clock, logger, telemetry, onBlocked } = options;
  const keyFor = (purpose: string) => options.keyFor(`sentinel ${purpose}`);
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
  const { reputation, ...lists } = keepReputation(config.reputation, logger);
  const requestLimits = createRequestLimits({ limits, perMinute: config.limits, blocklist, telemetry });

  return {
    hosts,
    csrf,
    challenges,
    blocklist,
    failures,
    reputation,
    originOf: createOrigins(dayKeys),
    ...requestLimits,

    /** The proof of work that is demanded while too many log-ins fail. */
    challengeFor: (purpose: NonNullable<RouteSpec["challenge"]>): Step =>
      createChallengeStep({ challenges, isNeeded: () => failures.isUnderAttack(), purposeOf: () => purpose }),

    /** What replicas share; undefined without a Redis. */
    sharedStore: store,
    storeState: () => store?.state(),
    storeExamination: () => store?.examination(),
    examineStore: async () => store?.examine(),
    async close(): Promise<void> {
      lists.close();
      limits.close();
      blocklist.close();
      failures.close();
      await store?.close();
    },
  };
}

/** Any name where none is given: somebody who tries the service out reaches it by whatever name there is. */
function hostsOf({ http: { trustedHosts, publicUrl } }: Config) {
  if (trustedHosts.length === 0 && publicUrl === undefined) return createHosts(["*"]);
  const own = publicUrl === undefined ? [] : [new URL(publicUrl).hostname];
  // In a `Host` header IPv6 addresses stand in brackets.
  const given = trustedHosts.map((host) => (host.includes(":") ? `[${host}]` : host));
  return createHosts([...given, ...own, ...LOOPBACK_NAMES]);
}

function isOriginOf(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host;
}
