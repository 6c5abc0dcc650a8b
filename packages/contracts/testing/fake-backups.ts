import {
  BACKUP_KINDS,
  type Backup,
  type BackupKind,
  type BackupRun,
  type BackupState,
  type BackupVerification,
  backupErrors,
} from "../backups.ts";
import { type FakeCall, pageOf } from "./fake-call.ts";

const NOW = "2026-11-20T12:00:00Z";
/** How often it is asked how far a work is before that is done. */
const ASKED_TIMES = 2;

export interface FakeBackups {
  /** The newest first. */
  readonly backups: Backup[];
  isOn: boolean;
  /** What the next work comes to, when not well. */
  nextProblem: string | undefined;
  run: BackupRun | undefined;
}

/** Backups of three nights; the one before the last of the database was verified. */
export function createFakeBackups(): FakeBackups {
  const backups = [20, 19, 18].flatMap((day) => BACKUP_KINDS.map((kind) => fakeBackup(kind, day)));
  const [, , , verified] = backups;
  if (verified) Object.assign(verified, { verification: verificationOf(verified.id, undefined) });
  return { backups, isOn: true, nextProblem: undefined, run: undefined };
}

function fakeBackup(kind: BackupKind, day: number): Backup {
  const letters = { database: "abcdefgh", config: "mnpqrstu", vpn: "vwxyz234" } as const;
  return {
    id: `202611${day}T021300Z-${letters[kind]}`,
    kind,
    taken_at: `2026-11-${day}T02:13:00Z`,
    version: "0.1.0",
    bytes: kind === "database" ? 48_200_000 : 12_000,
    objects: 1,
    counts:
      kind === "vpn"
        ? { nodes: 3, peers: 12 }
        : kind === "database"
          ? { accounts: 7, devices: 12 }
          : { plans: 1 },
    verification: null,
  };
}

function verificationOf(backup_id: string, problem: string | undefined): BackupVerification {
  return {
    backup_id,
    verified_at: NOW,
    outcome: problem === undefined ? "passed" : "failed",
    checks: [
      {
        name: "objects",
        outcome: problem === undefined ? "passed" : "failed",
        detail: problem ?? "All are there, unchanged, and can be opened: 1.",
      },
      problem === undefined
        ? { name: "row_counts", outcome: "passed", detail: "38 tables have exactly their 412 rows." }
        : { name: "restore", outcome: "skipped", detail: "What it would be restored from is damaged." },
    ],
  };
}

export function backupHandlers(state: FakeBackups) {
  const { backups } = state;
  let left = 0;
  let finish = () => {};

  function find(id: unknown): Backup {
    const backup = backups.find((each) => each.id === id);
    if (!backup) throw backupErrors.notFound();
    return backup;
  }

  function begin(act: BackupRun["act"], doing: string, done: () => Partial<BackupRun>): BackupRun {
    if (!state.isOn) throw backupErrors.isOff();
    if (state.run?.state === "running") throw backupErrors.alreadyRunning();
    const begun: BackupRun = {
      act,
      state: "running",
      begun_at: NOW,
      ended_at: null,
      doing,
      share: 0,
      succeeded: 0,
      failed: 0,
      backup_ids: [],
      problem: null,
    };
    state.run = begun;
    left = ASKED_TIMES;
    finish = () => {
      const problem = state.nextProblem ?? null;
      const result = problem === null ? done() : { failed: 1, problem };
      state.run = {
        ...begun,
        state: problem === null ? "done" : "failed",
        ended_at: NOW,
        share: 1,
        ...result,
      };
      state.nextProblem = undefined;
    };
    return begun;
  }

  return {
    "backups.state": (): BackupState => ({
      is_on: state.isOn,
      target: "folder",
      is_on_stores_disk: true,
      recipient: `age1${"q".repeat(58)}`,
      can_open: true,
      newest: BACKUP_KINDS.map((kind) => ({
        kind,
        backup: backups.find((each) => each.kind === kind) ?? null,
      })),
      archive: {
        state: state.isOn ? "following" : "off",
        restorable_from: "2026-11-18T02:13:00Z",
        restorable_to: "2026-11-20T11:59:52Z",
        lag_seconds: 8,
        problem: null,
        problem_code: null,
      },
      retention_days: { database: 35, config: 30, vpn: 90 },
      last_verification: backups.find(({ verification }) => verification !== null)?.verification ?? null,
    }),
    "backups.list": ({ query }: FakeCall) =>
      pageOf(
        backups.filter(({ kind }) => query.kind === undefined || kind === query.kind),
        query,
      ),
    "backups.show": ({ params }: FakeCall) => find(params.id),
    "backups.run": () => {
      const { run } = state;
      if (run?.state === "running" && --left <= 0) finish();
      else if (run?.state === "running") state.run = { ...run, share: 0.5 };
      return { run: state.run ?? null };
    },
    "backups.start": ({ body }: FakeCall) => {
      const kinds = BACKUP_KINDS.filter((kind) => body.kind === undefined || kind === body.kind);
      return begin("back_up", `back up ${kinds[0]}`, () => {
        const made = kinds.map((kind) => ({
          ...fakeBackup(kind, 20),
          id: `20261120T120000Z-${kind.padEnd(8, "a")}`,
        }));
        backups.unshift(...made);
        return { succeeded: made.length, backup_ids: made.map(({ id }) => id) };
      });
    },
    "backups.verify": ({ params }: FakeCall) => {
      const backup = find(params.id);
      const problem = state.nextProblem;
      const begun = begin("verify", "restore it", () => ({ succeeded: 1, backup_ids: [backup.id] }));
      const well = finish;
      finish = () => {
        well();
        if (state.run) state.run = { ...state.run, backup_ids: [backup.id] };
        Object.assign(backup, { verification: verificationOf(backup.id, problem) });
      };
      return begun;
    },
    "backups.cleanUp": () => begin("clean_up", "clean up", () => ({ succeeded: backups.splice(6).length })),
  };
}
