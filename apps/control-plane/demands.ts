import {
  type Database,
  examineLogging,
  type LogFinding,
  loggingRefusal,
  refusedLogging,
} from "@securewave/database";
import { HOUR_MS } from "@securewave/foundation";
import { examineOnce, namesOf, refusalOf, refusedOf } from "@securewave/sentinel/redis";
import type { Config } from "./config.ts";
import type { Telemetry } from "./http/telemetry.ts";
import { describeError, type Logger } from "./logger.ts";
import type { Security } from "./security.ts";

/** What the service demands of the database and the Redis that it is given, so that they keep no log of their own. */
export interface Demands {
  /** Looks at both now, as is done by itself every hour. */
  look(): Promise<void>;
  /** For health: how a database that answers is, and Redis, where there is something to say of them. */
  describe(): { readonly database: string | undefined; readonly redis: string | undefined };
  /** Whether one of them writes down what must not be, and nobody allowed it. */
  isUnmet(): boolean;
  /** All that was found, for the zero-log report. */
  findings(): readonly {
    readonly store: "database" | "redis";
    readonly weight: string;
    readonly text: string;
  }[];
  close(): void;
}

export interface DemandsOptions {
  readonly config: Config;
  readonly database: Database;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  readonly security: Pick<Security, "storeState" | "storeExamination" | "examineStore">;
}

/** One that listens may take so long to answer; one that is not there at the start is looked at when it comes. */
const REDIS_WAIT_MS = 3000;

/**
 * Looks at the database and at Redis before the service uses them.
 *
 * @throws store.logs_values, redis.persists, redis.untold
 */
export async function demandQuietStores(config: Config, database: Database): Promise<void> {
  for (const pool of examinedPools(database)) {
    const loud = refusedLogging(await examineLogging(pool), config.store.logging);
    if (loud.length === 0) continue;
    const { rows } = await pool.query<{ role: string }>("select current_user as role");
    throw loggingRefusal(loud, rows[0]?.role ?? "");
  }
  if (config.redisUrl === undefined) return;
  const found = await examineOnce(config.redisUrl.reveal(), { waitMs: REDIS_WAIT_MS });
  const refused = refusedOf(found ?? [], config.redisPersistence);
  if (refused.length > 0) throw refusalOf(refused);
}

/** Looks at the database every hour, and says in health, log and metrics what it, and Redis, do otherwise. */
export function watchDemands(options: DemandsOptions): Demands {
  const { config, database, logger, telemetry, security } = options;
  const redis = security.storeExamination;
  let logged: readonly LogFinding[] = [];
  let isClosed = false;
  const loud = () => logged.filter(({ weight }) => weight === "values");
  const refused = () => refusedLogging(logged, config.store.logging);

  async function lookAtDatabase(): Promise<void> {
    const before = aboutOf(logged);
    logged = await examineAll(database);
    const now = aboutOf(logged);
    if (now === before) return;
    if (refused().length > 0) logger.error("database_demands_unmet", { internal: now });
    else logger.info("database_demands", { internal: now === "" ? "all met" : now });
  }
  const lookAgain = () =>
    void lookAtDatabase().catch((error: unknown) => {
      if (!isClosed) logger.warn("demands_failed", describeError(error));
    });
  lookAgain();
  const looking = setInterval(lookAgain, HOUR_MS);
  looking.unref();
  telemetry.gauge(
    "securewave_demands_unmet",
    "Settings by which the database or Redis writes down what it must not",
    () => refused().length + (redis()?.refused.length ?? 0),
  );

  function describeDatabase(): string | undefined {
    const values = loud();
    if (values.length > 0) {
      const by = config.store.logging === "allowed" ? ", as DATABASE_LOGGING allows" : "";
      return `connected; it logs the values of statements (${aboutOf(values)})${by}`;
    }
    const exposing = logged.filter(({ weight }) => weight === "exposes");
    return exposing.length > 0 ? `connected; it keeps more than it need (${aboutOf(exposing)})` : undefined;
  }

  function describeRedis(): string | undefined {
    const examination = redis();
    if (examination === undefined) return undefined;
    const { findings, refused: unused } = examination;
    if (unused.length > 0) return `not used, as it may write to its disk (${namesOf(unused)})`;
    if (security.storeState() === "down") return undefined;
    const heavy = findings.filter(({ weight }) => weight !== "minor");
    if (heavy.length === 0) return undefined;
    const by = `as REDIS_PERSISTENCE=${config.redisPersistence} says`;
    return heavy.some(({ weight }) => weight === "persists")
      ? `connected; it writes to its disk (${namesOf(heavy)}), ${by}`
      : `connected; it does not tell whether it writes to its disk, ${by}`;
  }

  return {
    async look() {
      await Promise.all([lookAtDatabase(), security.examineStore()]);
    },
    describe: () => ({ database: describeDatabase(), redis: describeRedis() }),
    isUnmet: () => refused().length > 0 || (redis()?.refused.length ?? 0) > 0,
    findings: () => [
      ...logged.map(({ weight, text }) => ({ store: "database" as const, weight, text })),
      ...(redis()?.findings ?? []).map(({ weight, text }) => ({ store: "redis" as const, weight, text })),
    ],
    close() {
      isClosed = true;
      clearInterval(looking);
    },
  };
}

/** What the sessions of any login write down, each thing once. */
async function examineAll(database: Database): Promise<LogFinding[]> {
  const found = (await Promise.all(examinedPools(database).map((pool) => examineLogging(pool)))).flat();
  return [...new Map(found.map((finding) => [finding.about, finding])).values()];
}

/** The embedded store is set by its command line, for all logins alike. */
function examinedPools({ kind, pools }: Database): Database["pools"] {
  return kind === "embedded" ? pools.slice(0, 1) : pools;
}

function aboutOf(findings: readonly LogFinding[]): string {
  return findings.map(({ about }) => about).join(", ");
}
