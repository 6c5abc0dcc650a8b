import { resolve } from "node:path";
import { LOGGING_POLICIES, MIGRATIONS_POLICIES } from "@securewave/database";
import { integer, oneOf, optionalSecret, text } from "@securewave/foundation/settings";
import { isSentinelUrl, PERSISTENCE_POLICIES, parseSentinelUrl } from "@securewave/sentinel/redis";
import { parsePath } from "../setting-texts.ts";
import { vaultSettings } from "../vault.ts";

const PROTOCOL = /^postgres(ql)?:\/\/.+/;

function loginUrl(name: string, work: string) {
  return optionalSecret(name, `DATABASE_URL with a login of fewer rights, for ${work}.`, {
    range: "a postgres:// URL",
    isAllowed: (url) => PROTOCOL.test(url),
  });
}

/** The stores that the service uses, and who knows their secrets. */
export const storesSettings = {
  store: {
    dir: text("DATA_DIR", "Folder of the embedded store, the generated keys and the outbox.", {
      range: "a path",
      parse: parsePath,
      default: resolve("data"),
      shownDefault: "data",
    }),
    url: optionalSecret("DATABASE_URL", "PostgreSQL 15 or newer to use in place of the embedded store.", {
      range: "a postgres:// URL",
      isAllowed: (url) => PROTOCOL.test(url),
    }),
    logging: oneOf(
      "DATABASE_LOGGING",
      "What is done about a PostgreSQL that logs the values of statements: refused at the start, or used and said in health.",
      LOGGING_POLICIES,
      { default: "refused" },
    ),
    poolMax: integer(
      "DATABASE_POOL_MAX",
      "Connections to the database of requests. With logins of their own, jobs and VPN servers have at most half as many each, and the owner four.",
      { default: 10, min: 2, max: 200 },
    ),
    logins: {
      api: loginUrl("DATABASE_API_URL", "requests"),
      worker: loginUrl("DATABASE_WORKER_URL", "jobs"),
      ingress: loginUrl("DATABASE_INGRESS_URL", "the connections of VPN servers"),
    },
    migrations: oneOf(
      "DATABASE_MIGRATIONS",
      "Which migrations a start applies: `expand` leaves those for later with which replicas of the release before could not go on.",
      MIGRATIONS_POLICIES,
      { default: "all" },
    ),
    slowMs: integer("DATABASE_SLOW_MS", "From how many milliseconds on a statement counts as slow.", {
      default: 200,
      min: 1,
      max: 60_000,
    }),
  },
  redisUrl: optionalSecret(
    "REDIS_URL",
    "Redis or Valkey that limits and blocks are shared over; without it each process has its own.",
    {
      range: "a redis:// or rediss:// URL, or redis+sentinel://host:port,host:port/name",
      isAllowed: (url) =>
        isSentinelUrl(url)
          ? parseSentinelUrl(url) !== undefined
          : /^rediss?:\/\/.+/.test(url) && URL.canParse(url),
    },
  ),
  redisPersistence: oneOf(
    "REDIS_PERSISTENCE",
    "What is done about a Redis that writes to its disk: `refused`; `declared-off` believes you where it does not tell; `allowed` uses it and says so in health.",
    PERSISTENCE_POLICIES,
    { default: "refused" },
  ),
  vault: vaultSettings,
};
