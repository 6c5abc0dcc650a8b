import type { Database } from "@securewave/database";
import type { Clock } from "@securewave/foundation";
import { deriveKey } from "@securewave/foundation/derive";
import { createJobs, type Jobs } from "@securewave/jobs";
import type { Pool } from "@securewave/wireguard";
import { type Bus, createBus } from "../bus.ts";
import { type Config, publicUrlOf } from "../config.ts";
import { createTelemetry, type Telemetry } from "../http/telemetry.ts";
import { describeError, type Logger } from "../logger.ts";
import type { Secrets } from "../secrets.ts";
import type { Tracing } from "../tracing/index.ts";

/** What the app is given. */
export interface AppOptions {
  readonly config: Config;
  readonly database: Database;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry?: Telemetry;
  /** Makes spans of requests and queries; none where it is left out. */
  readonly tracing?: Tracing | undefined;
  /** The built console; pages are not served when it is not there. */
  readonly consoleDir: string;
  /** The folder of the node agent; VPN servers can be installed from here once it was built. */
  readonly agentDir: string;
  readonly version: string;
  /** The folder of the migrations, where it is not beside the code. */
  readonly migrationsDir?: string;
  /** How often an idle job worker looks for work, when not as often as usual. */
  readonly jobPollSeconds?: number;
  /** How often each node's tunnel is tried, when not as often as usual. */
  readonly probeEveryMs?: number;
  /** The program that searches for traces, with its arguments; without it, none can be searched for. */
  readonly auditor?: readonly string[];
  /** The program that makes and verifies backups, with its arguments; without it, none are made. */
  readonly backupWorker?: readonly string[];
  /** Another queue than pg-boss's, which goes by the machine's clock. */
  readonly createJobs?: typeof createJobs;
}

/** What every room of the app stands on. */
export interface Ground {
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Telemetry;
  readonly bus: Bus;
  /** Defined while the rooms are opened, begun by `startJobs`. */
  readonly jobs: Jobs;
  /** The origin that people use, and whether it is by https. */
  readonly publicUrl: string;
  readonly isSecure: boolean;
  /** Of addresses in tunnels. */
  readonly pools: { readonly v4: Pool; readonly v6: Pool };
  /** A key for one purpose, the same in all replicas and through every rotation. */
  keyFor(purpose: string): Buffer;
  /** Hears of what fails in the background. */
  onTrouble(error: unknown): void;
  /** A room defers to it the end of each thing that it opens. */
  readonly closing: AsyncDisposableStack;
}

export function createGround(options: AppOptions, closing: AsyncDisposableStack): Ground {
  const { config, database, clock, logger, secrets, jobPollSeconds } = options;
  const publicUrl = publicUrlOf(config);
  const telemetry = options.telemetry ?? createTelemetry(logger);
  const baseSecret = secrets.jwtSecret.reveal();

  telemetry.gauge(
    "securewave_database_connections",
    "Open connections to the database",
    () => database.stats().open,
  );

  return {
    config,
    database,
    clock,
    logger,
    telemetry,
    bus: createBus(database, (error) => logger.warn("bus_failed", describeError(error))),
    jobs: (options.createJobs ?? createJobs)(
      database,
      (job, error) => {
        telemetry.countJobFailure(job === "queue" ? "_OTHER" : job);
        logger.error("job_failed", { job, ...describeError(error) });
      },
      { clock, ...(jobPollSeconds === undefined ? {} : { pollSeconds: jobPollSeconds }) },
    ),
    publicUrl,
    isSecure: publicUrl.startsWith("https:"),
    pools: { v4: config.tunnels.poolV4, v6: config.tunnels.poolV6 },
    keyFor: (purpose) => deriveKey(baseSecret, purpose),
    onTrouble: (error) => logger.error("background_failed", describeError(error)),
    closing,
  };
}
