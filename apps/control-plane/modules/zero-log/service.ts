import { formatVerifier, rawPublicKey } from "@securewave/audit-trail";
import type { ZeroLogProof, ZeroLogRun } from "@securewave/contracts";
import { zeroLogErrors } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, DAY_MS, dayOf, isRefusalOf } from "@securewave/foundation";
import type {
  AuditorEvent,
  AuditorOrder,
  BackupAnswer,
  BackupControls,
} from "@securewave/ghosts/auditor-protocol";
import { type Report, signReport, verifyReport } from "@securewave/ghosts/report";
import type { Jobs } from "@securewave/jobs";
import type { Telemetry } from "../../http/telemetry.ts";
import { describeError, type Logger } from "../../logger.ts";
import { takeRunLock } from "../../run-lock.ts";
import type { ServiceKey } from "../service-keys/index.ts";
import { type Auditing, startAuditor } from "./auditor.ts";
import { advance, FIRST } from "./progress.ts";
import * as store from "./store.ts";

/** What a run has of the service, taken away by `clear` when it is over. */
export interface Prepared {
  readonly order: AuditorOrder;
  /** Has a backup of every kind made, to be searched. */
  backUp(controls: BackupControls): Promise<BackupAnswer>;
  clear(): Promise<void>;
}

export interface ZeroLogOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly jobs: Pick<Jobs, "define">;
  readonly logger: Logger;
  readonly telemetry: Pick<Telemetry, "gauge">;
  readonly key: ServiceKey;
  /** What reports are signed as: `vpn.example.org/zero-log`. */
  readonly name: string;
  /** The program that searches, with its arguments; undefined where this process has none. */
  readonly command: readonly string[] | undefined;
  prepare(isQuick: boolean): Promise<Prepared>;
}

export type ZeroLog = ReturnType<typeof createZeroLog>;

/** Every day, behind the ledger's rewriting and the clean-up. */
const CRON = "23 4 * * *";
/** A proof older than this is none: with a run a day, one may fail. */
const PROOF_DAYS = 2;
/** Our key for the lock under which one process at a time searches. */
const LOCK_KEY = 7_215_930_418;

/** Has the whole service searched for made-up customers, and signs what comes of it. */
export function createZeroLog(options: ZeroLogOptions) {
  const { database, clock, jobs, logger, telemetry, key, name, command, prepare } = options;
  const { db } = database;
  const verifier = { name, publicKey: rawPublicKey(key.privateKey) };
  const startedOn = dayOf(clock.now());
  let run: ZeroLogRun | undefined;
  let going: { readonly auditing: Auditing; readonly over: Promise<void> } | undefined;
  let isClosed = false;

  /**
   * Begins a run, which goes on by itself.
   *
   * @throws zero_log.already_running, zero_log.not_possible
   */
  async function start(isQuick: boolean): Promise<ZeroLogRun> {
    if (command === undefined || isClosed) throw zeroLogErrors.notPossible();
    if (run?.state === "running") throw zeroLogErrors.alreadyRunning();
    const former = run;
    run = FIRST;
    try {
      const unlock = await takeRunLock(database.pool, LOCK_KEY);
      if (unlock === undefined) throw zeroLogErrors.alreadyRunning();
      try {
        const { order, backUp, clear } = await prepare(isQuick);
        const hear = (event: AuditorEvent) => {
          if (run !== undefined) run = advance(run, event);
        };
        const auditing = startAuditor(command, order, hear, backUp);
        const over = finish(auditing, clear).finally(unlock);
        going = { auditing, over };
      } catch (error) {
        await unlock();
        throw error;
      }
    } catch (error) {
      run = former;
      throw error;
    }
    return run;
  }

  async function finish(auditing: Auditing, clear: () => Promise<void>): Promise<void> {
    let number: number | undefined;
    try {
      const report = await auditing.finished.finally(clear);
      if (report === undefined) logger.error("zero_log_failed");
      else number = await keep(report);
    } catch (error) {
      logger.error("zero_log_failed", describeError(error));
    }
    run = { ...(run ?? FIRST), state: number === undefined ? "failed" : "done", report: number ?? null };
    going = undefined;
  }

  async function keep(report: Report): Promise<number> {
    const hits = hitsOf(report);
    const note = signReport(report, name, key.privateKey);
    const row = { made_on: dayOf(clock.now()), outcome: report.outcome, hits, note };
    const number = await database.as("worker", () =>
      database.transaction((trx) => store.insertReport(trx, row)),
    );
    if (report.outcome === "clean") logger.info("zero_log_clean", { count: report.surfaces.length });
    else if (hits > 0) logger.error("zero_log_leaking", { count: hits });
    else logger.error("zero_log_incomplete", { internal: reasonOf(report) });
    return number;
  }

  /** Days since the last clean report; since the oldest that is kept, or since the start, where there is none. */
  async function daysWithoutProof(): Promise<number> {
    const outcomes = await store.listOutcomes(db);
    const since =
      outcomes.find(({ outcome }) => outcome === "clean")?.made_on ?? outcomes.at(-1)?.made_on ?? startedOn;
    return Math.round((Date.parse(dayOf(clock.now())) - Date.parse(since)) / DAY_MS);
  }

  telemetry.gauge(
    "securewave_zero_log_hits",
    "Traces of made-up customers in the newest report",
    async () => (await store.listOutcomes(db))[0]?.hits ?? 0,
  );
  telemetry.gauge(
    "securewave_zero_log_proof_days",
    "Days since a search found that nothing is kept",
    daysWithoutProof,
  );
  jobs.define<object>(
    "zero-log-audit",
    async () => {
      if (command === undefined) return;
      await start(false).catch((error: unknown) => {
        if (!isRefusalOf(error, zeroLogErrors.alreadyRunning)) throw error; // a search goes on elsewhere
      });
    },
    { cron: CRON },
  );

  return {
    start,
    progress: () => run,
    reports: () => store.listReports(db),

    async latest(): Promise<ZeroLogProof> {
      return { report: (await store.latestReport(db)) ?? null, verifier_key: formatVerifier(verifier) };
    },

    /** The newest report, read from what is signed; undefined where there is none. */
    async latestReport(): Promise<Report | undefined> {
      const row = await store.latestReport(db);
      return row && verifyReport(row.note, verifier)?.report;
    },

    /** For health: what is wrong with the newest proof. Undefined too where this process is not to make any. */
    async trouble(): Promise<string | undefined> {
      if (command === undefined) return undefined;
      const [latest] = await store.listOutcomes(db);
      if (latest?.outcome === "leaking") return `report ${latest.number} found ${latest.hits} traces`;
      if (latest?.outcome === "incomplete")
        return `report ${latest.number} is not complete, so proves nothing`;
      const days = await daysWithoutProof();
      return days > PROOF_DAYS ? `no search for ${days} days found that nothing is kept` : undefined;
    },

    async close(): Promise<void> {
      isClosed = true;
      await going?.auditing.stop();
      await going?.over;
    },
  };
}

function hitsOf({ surfaces }: Report): number {
  return surfaces.reduce((sum, { hitsCount }) => sum + hitsCount, 0);
}

/** Names the surfaces that are not sound; what was found on them stands in the report alone. */
function reasonOf({ surfaces }: Report): string {
  const unsound = surfaces.filter(
    ({ controls, settings, problems }) =>
      problems.length > 0 ||
      controls.length === 0 ||
      controls.some(({ isFound }) => !isFound) ||
      settings.some(({ isRight }) => !isRight),
  );
  return unsound.map(({ id }) => id).join(", ");
}
