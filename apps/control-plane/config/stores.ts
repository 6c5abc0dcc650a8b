import { resolve } from "node:path";
import { LOGGING_POLICIES } from "@securewave/database";
import { integer, oneOf, optionalSecret, text } from "@securewave/foundation/settings";
import { PERSISTENCE_POLICIES } from "@securewave/sentinel/redis";
import { parsePath } from "../setting-texts.ts";
import { vaultSettings } from "../vault.ts";

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
      isAllowed: (url) => /^postgres(ql)?:\/\/.+/.test(url),
    }),
    logging: oneOf(
      "DATABASE_LOGGING",
      "What is done about a PostgreSQL that logs the values of statements: refused at the start, or used and said in health.",
      LOGGING_POLICIES,
      { default: "refused" },
    ),
    poolMax: integer("DATABASE_POOL_MAX", "Connections to the database.", { default: 10, min: 2, max: 200 }),
  },
  redisUrl: optionalSecret(
    "REDIS_URL",
    "Redis or Valkey that limits and blocks are shared over; without it each process has its own.",
    {
      range: "a redis:// or rediss:// URL",
      isAllowed: (url) => /^rediss?:\/\/.+/.test(url) && URL.canParse(url),
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
