import { setTimeout as sleep } from "node:timers/promises";
import type { Database } from "@securewave/database";
import { SECOND_MS } from "@securewave/foundation";
import { sql } from "kysely";
import type { Telemetry } from "../../http/telemetry.ts";
import { createCertificateWatch } from "./certificate.ts";
import { createClockWatch, createCpuShare, diskShare, memoryShare } from "./machine.ts";

const LOOKS_MAX = 6;
const LOOK_EVERY_MS = 50;

export interface FigureOptions {
  readonly database: Database;
  readonly telemetry: Pick<Telemetry, "gauge">;
  readonly publicUrl: string;
  /** On whose disk it is looked for room. */
  readonly dataDir: string;
  /** How many jobs of the clock did not run when they should have. */
  readonly jobsOverdue: () => Promise<number>;
}

/** Adds the gauges that alerts and health go by, where nothing else tells them. */
export function addFigures(options: FigureOptions): void {
  const { database, telemetry, publicUrl, dataDir, jobsOverdue } = options;
  const { gauge } = telemetry;
  const certificateDays = createCertificateWatch(publicUrl, Date.now);
  const clock = createClockWatch();

  /** By half of the time that the question took, the answer is not exact. */
  async function clockOffsetSeconds(): Promise<number> {
    const step = clock.largestStepMs();
    const before = Date.now();
    const { rows } = await sql<{
      ms: number;
    }>`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`.execute(database.db);
    const took = Date.now() - before;
    const apart = Math.max(0, Math.abs((rows[0]?.ms ?? before) - before - took / 2) - took / 2);
    return Math.max(step, apart) / SECOND_MS;
  }

  gauge("securewave_database_down", "Whether the database does not answer", () =>
    database.ping().then(
      () => 0,
      () => 1,
    ),
  );
  gauge(
    "securewave_database_connections_max",
    "Connections to the database that requests may have",
    () => database.stats().requests.max,
  );
  gauge("securewave_database_connections_busy", "Connections to the database that requests have in use", () =>
    busyConnections(database),
  );
  gauge(
    "securewave_database_replication_lag_seconds",
    "How far the standby that is furthest behind is, where the login may see it",
    () => replicationLagSeconds(database),
  );
  gauge("securewave_jobs_overdue", "Jobs of the clock that did not run when they should have", jobsOverdue);
  gauge("securewave_machine_cpu_share", "Busy share of the machine's processors", createCpuShare());
  gauge("securewave_machine_memory_share", "Used share of the machine's memory", memoryShare);
  gauge("securewave_disk_used_share", "Used share of the disk below DATA_DIR", () => diskShare(dataDir));
  gauge(
    "securewave_clock_offset_seconds",
    "How far the machine's clock is from the database's, or was moved within the hour",
    clockOffsetSeconds,
  );
  gauge("securewave_certificate_days", "Days until the certificate of PUBLIC_URL ends", certificateDays);
}

/** Full is what stays full: figures and pages ask much at once, which is over within milliseconds. */
async function busyConnections({ stats }: Pick<Database, "stats">): Promise<number> {
  for (let look = 1; look < LOOKS_MAX; look++) {
    const { busy, max } = stats().requests;
    if (busy < max) return busy;
    await sleep(LOOK_EVERY_MS);
  }
  return stats().requests.busy;
}

async function replicationLagSeconds({ db }: Database): Promise<number> {
  const { rows } = await sql<{ seconds: number | null }>`
    select max(extract(epoch from replay_lag))::float8 as seconds from pg_stat_replication`.execute(db);
  return rows[0]?.seconds ?? 0;
}
