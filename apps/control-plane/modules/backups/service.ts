import {
  BACKUP_KINDS,
  type BackupKind,
  type BackupRun,
  type BackupState,
  type Backup as BackupView,
  backupErrors,
} from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, SECOND_MS } from "@securewave/foundation";
import type { BackupControls } from "@securewave/ghosts/auditor-protocol";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import { describeError, type Logger } from "../../logger.ts";
import { takeRunLock } from "../../run-lock.ts";
import type { Audit } from "../audit/index.ts";
import type { Archiving } from "./archiving.ts";
import {
  type BackupEvent,
  type BackupKeys,
  type BackupOrder,
  type BackupText,
  CONTROL_NAME,
} from "./order.ts";
import { type Held, keepOutcome } from "./outcome.ts";
import { advance, begin, end } from "./progress.ts";
import * as store from "./store.ts";
import { backupViewOf, verificationViewOf } from "./views.ts";
import { startWork, type Working } from "./worker.ts";

type OrderOf<Act extends BackupOrder["act"]> = Extract<BackupOrder, { act: Act }>;
/** What an order holds beside what all have. */
type Wanted =
  | (Pick<OrderOf<"back_up">, "act" | "kinds"> & { readonly controls?: BackupControls })
  | Pick<OrderOf<"verify">, "act" | "backupId">
  | Pick<OrderOf<"clean_up">, "act" | "backupIds">;

export interface Contents {
  readonly texts: readonly BackupText[];
  readonly counts: Readonly<Record<string, number>>;
}

export interface BackupsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly audit: Pick<Audit, "record">;
  readonly logger: Logger;
  readonly isOn: boolean;
  /** The program that does the work, with its arguments; undefined where this process has none. */
  readonly command: readonly string[] | undefined;
  readonly keys: BackupKeys | undefined;
  readonly place: Pick<BackupState, "target" | "is_on_stores_disk">;
  readonly common: Omit<OrderOf<"clean_up">, "act" | "keys" | "backupIds">;
  readonly access: OrderOf<"back_up">["database"];
  /** What goes into a backup of a kind other than the database. */
  readonly contentsOf: (kind: Exclude<BackupKind, "database">) => Promise<Contents>;
  readonly archiving: Pick<Archiving, "state"> | undefined;
}

interface WorkOptions {
  /** Writes down who wanted it. */
  readonly record?: () => Promise<void>;
  readonly onProgress?: (run: BackupRun) => void;
}

interface Begun {
  readonly run: BackupRun;
  /** Resolves when it is over. */
  readonly over: Promise<BackupRun>;
  stop(): Promise<void>;
}

export type Backups = ReturnType<typeof createBackups>;

/** Our key for the lock under which one process at a time works on backups. */
const LOCK_KEY = 6_402_118_337;

/** Makes, verifies and removes backups, by a process of its own, and knows which there are. */
export function createBackups(options: BackupsOptions) {
  const { database, clock, audit, logger, command, keys, common, access, contentsOf } = options;
  const { db } = database;
  let run: BackupRun | undefined;
  let going: { readonly working: Working; readonly over: Promise<BackupRun> } | undefined;
  let isClosed = false;
  const startedMs = clock.now();

  async function orderOf(wanted: Wanted, sealing: BackupKeys): Promise<BackupOrder> {
    if (wanted.act === "clean_up") return { ...common, keys: sealing, ...wanted };
    if (wanted.act === "verify") return { ...common, keys: sealing, database: access, ...wanted };
    const { act, kinds, controls } = wanted;
    const none: Contents = { texts: [], counts: {} };
    const config = kinds.includes("config") ? await contentsOf("config") : none;
    const vpn = kinds.includes("vpn") ? await contentsOf("vpn") : none;
    const control = (text: string | undefined) => (text === undefined ? [] : [{ name: CONTROL_NAME, text }]);
    return {
      ...common,
      keys: sealing,
      database: access,
      texts: {
        config: [...config.texts, ...control(controls?.config)],
        vpn: [...vpn.texts, ...control(controls?.vpn)],
      },
      counts: { config: config.counts, vpn: vpn.counts },
      act,
      kinds,
    };
  }

  /**
   * Begins a work, which goes on by itself.
   *
   * @throws backups.is_off, backups.not_possible, backups.already_running
   */
  async function work(wanted: Wanted, { record, onProgress }: WorkOptions = {}): Promise<Begun> {
    if (!options.isOn) throw backupErrors.isOff();
    if (command === undefined || keys === undefined || isClosed) throw backupErrors.notPossible();
    if (run?.state === "running") throw backupErrors.alreadyRunning();
    const former = run;
    const begun = begin(wanted.act, clock.now());
    run = begun;
    try {
      const unlock = await takeRunLock(database.pool, LOCK_KEY);
      if (unlock === undefined) throw backupErrors.alreadyRunning();
      try {
        await record?.(); // what stands in no trail is not done
        const holds: Held = { verified: [] };
        const working = startWork(command, await orderOf(wanted, keys), (event) => {
          hear(event, holds);
          if (run !== undefined) onProgress?.(run);
        });
        const over = finish(working, holds).finally(unlock);
        going = { working, over };
        return { run: begun, over, stop: working.stop };
      } catch (error) {
        await unlock();
        throw error;
      }
    } catch (error) {
      run = former;
      throw error;
    }
  }

  function hear(event: BackupEvent, holds: Held): void {
    if (event.kind === "holds") holds.known = event;
    if (event.kind === "failed") logger.error("backup_failed", { code: event.code, internal: event.what });
    if (event.kind === "verified") {
      const { outcome, checks } = event.verification;
      const failed = checks.filter((check) => check.outcome === "failed").map(({ name }) => name);
      if (outcome === "failed") logger.error("backup_damaged", { internal: failed.join(", ") });
      holds.verified.push(event.verification);
    }
    if (run !== undefined) run = advance(run, event);
  }

  async function finish(working: Working, holds: Held): Promise<BackupRun> {
    const isGood = await working.finished;
    const ended = end(run ?? begin("back_up", clock.now()), isGood, clock.now());
    if (!isGood) logger.error("backup_failed", { internal: `the worker of ${ended.act} broke off` });
    else if (ended.state === "done") logger.info("backup_done", { count: ended.succeeded });
    try {
      const at = new Date(clock.now());
      const damaged = await database.transaction((trx) => keepOutcome(trx, ended, holds, at));
      for (const id of damaged) logger.error("backup_damaged", { internal: `the manifest of ${id}` });
    } catch (error) {
      logger.error("background_failed", describeError(error));
    }
    run = ended;
    going = undefined;
    return ended;
  }

  /** Has staff's order written into the trail before it is carried out. */
  async function ordered(actor: string, wanted: Wanted, what?: BackupKind): Promise<BackupRun> {
    const details = { act: wanted.act, ...(what === undefined ? {} : { what }) };
    const act = { kind: "backup_ordered", actor, subject: "service", details } as const;
    return (await work(wanted, { record: () => audit.record(db, act) })).run;
  }

  async function show(id: string): Promise<BackupView> {
    const row = await store.findBackup(db, id);
    if (row === undefined) throw backupErrors.notFound();
    const [verification] = await store.verificationsOf(db, [id]);
    return backupViewOf(row, verification);
  }

  return {
    isOn: options.isOn && command !== undefined,
    show,
    progress: (): BackupRun | undefined => run,

    /** @throws backups.is_off, backups.not_possible, backups.already_running */
    start: (actor: string, kind?: BackupKind) =>
      ordered(actor, { act: "back_up", kinds: kind === undefined ? BACKUP_KINDS : [kind] }, kind),
    /** @throws what `start` throws, and backups.not_found, backups.no_key */
    async verify(actor: string, id: string): Promise<BackupRun> {
      const { kind } = await show(id);
      if (options.isOn && command !== undefined && keys?.identities.length === 0) throw backupErrors.noKey();
      return ordered(actor, { act: "verify", backupId: id }, kind);
    },
    /** @throws what `start` throws */
    cleanUp: (actor: string) => ordered(actor, { act: "clean_up" }),

    /** For the clock. @throws what `start` throws */
    work,

    async list(kind: BackupKind | undefined, page: PageRequest) {
      const bounds = boundsOf(page, ["integer", "text"]);
      const [takenAtMs, id = ""] = bounds.after ?? [];
      const after = takenAtMs === undefined ? undefined : { takenAt: new Date(Number(takenAtMs)), id };
      const rows = await store.listBackups(db, { kind, after, rows: bounds.rows });
      const verifications = await store.verificationsOf(
        db,
        rows.map((row) => row.id),
      );
      const found = new Map(verifications.map((verification) => [verification.backup_id, verification]));
      const position = (row: store.BackupRow) => [String(row.taken_at.getTime()), row.id];
      return pageOf(rows, bounds, position, (row) => backupViewOf(row, found.get(row.id)));
    },

    async state(): Promise<BackupState> {
      const { newest, oldestDatabase } = await store.endsOf(db);
      const verifications = await store.verificationsOf(
        db,
        newest.map(({ id }) => id),
      );
      const latest = await store.latestVerification(db);
      const newestOf = (kind: BackupKind) => {
        const row = newest.find((candidate) => candidate.kind === kind);
        const verification = verifications.find(({ backup_id }) => backup_id === row?.id);
        return { kind, backup: row === undefined ? null : backupViewOf(row, verification) };
      };
      const following = options.archiving?.state(newestBaseMsIn(newest));
      const to = following?.archivedToMs;
      const from = oldestDatabase?.taken_at.getTime();
      const isArchived = from !== undefined && from <= (to ?? from);
      return {
        is_on: options.isOn,
        ...options.place,
        recipient: keys?.recipient ?? null,
        can_open: (keys?.identities.length ?? 0) > 0,
        newest: BACKUP_KINDS.map(newestOf),
        archive: {
          state: !options.isOn ? "off" : (following?.state ?? "elsewhere"),
          restorable_from: isArchived ? new Date(from).toISOString() : null,
          restorable_to: to === undefined ? null : new Date(to).toISOString(),
          lag_seconds: following?.lagSeconds ?? null,
          problem: following?.problem?.message ?? null,
          problem_code: following?.problem?.code ?? null,
        },
        retention_days: common.retentionDays,
        last_verification: latest === undefined ? null : verificationViewOf(latest),
      };
    },

    /** Seconds since the newest backup of a kind was taken; since the start of this process, where there is none. */
    async ageSeconds(kind: BackupKind): Promise<number> {
      const { newest } = await store.endsOf(db);
      const row = newest.find((candidate) => candidate.kind === kind);
      return Math.max(0, Math.round((clock.now() - (row?.taken_at.getTime() ?? startedMs)) / SECOND_MS));
    },

    /** Seconds since a backup was last found good; since the oldest that there is, where none was. */
    async verifiedAgeSeconds(): Promise<number> {
      const since = await store.verifiedSince(db);
      return since === undefined ? 0 : Math.max(0, Math.round((clock.now() - since.getTime()) / SECOND_MS));
    },

    /** For health: what is wrong. */
    async trouble(): Promise<string | undefined> {
      if (!options.isOn || command === undefined) return undefined;
      const following = options.archiving?.state(newestBaseMsIn((await store.endsOf(db)).newest));
      if (following?.problem !== undefined) return `the archive is in trouble: ${following.problem.message}`;
      const latest = await store.latestVerification(db);
      if (latest?.outcome === "failed") return `the backup ${latest.backup_id} is damaged`;
      const failed = (await store.latestRuns(db)).find((row) => row.failed > 0);
      return failed && `the last ${failed.act.replace("_", " ")} failed: ${failed.problem ?? "see the log"}`;
    },

    async close(): Promise<void> {
      isClosed = true;
      await going?.working.stop();
      await going?.over;
    },
  };
}

function newestBaseMsIn(newest: readonly store.BackupRow[]): number | undefined {
  return newest.find(({ kind }) => kind === "database")?.taken_at.getTime();
}
