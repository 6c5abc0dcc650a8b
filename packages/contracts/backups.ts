import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { defineRoute } from "./route.ts";
import { Nullable, OneOf, pagesOf, Strict } from "./schemas.ts";

export const backupErrors = defineErrors("backups", {
  notFound: { status: 404, message: "There is no such backup; its days may be over." },
  isOff: { status: 409, message: "Backups are switched off: BACKUPS says so." },
  notPossible: {
    status: 409,
    message: "This process cannot back up: it was started without the program that does.",
  },
  alreadyRunning: { status: 409, message: "A backup is already going on. See how far it is, and wait." },
  noKey: {
    status: 409,
    message:
      "This service can seal backups and cannot open them: it has no BACKUP_KEY. Verify where the key is.",
  },
});

export const BACKUP_KINDS = ["database", "config", "vpn"] as const;
export const BackupKind = OneOf(BACKUP_KINDS);
export type BackupKind = Static<typeof BackupKind>;

const Count = Type.Integer({ minimum: 0 });
const Instant = Type.String({ format: "date-time" });
const BackupId = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", description: "Id of a backup" });
const BackupParams = Strict({ id: BackupId });

/** One thing that a verification looked at. */
const Check = Strict({
  name: OneOf([
    "objects",
    "archive",
    "restore",
    "row_counts",
    "constraints",
    "audit_trail",
    "device_configs",
    "contents",
  ]),
  outcome: OneOf(["passed", "failed", "skipped"]),
  detail: Type.String({ description: "What was found, in a sentence" }),
});
export type BackupCheck = Static<typeof Check>;

const Verification = Strict({
  backup_id: BackupId,
  verified_at: Instant,
  outcome: OneOf(["passed", "failed"]),
  checks: Type.Array(Check),
});
export type BackupVerification = Static<typeof Verification>;

/** A backup that is whole: it has its manifest, which is written last. */
export const Backup = Strict({
  id: BackupId,
  kind: BackupKind,
  taken_at: Instant,
  version: Type.String({ description: "Of the service that made it" }),
  bytes: Count,
  objects: Count,
  counts: Type.Record(Type.String(), Type.Number(), { description: "What is in it, such as rows by table" }),
  verification: Nullable(Verification),
});
export type Backup = Static<typeof Backup>;

/** Work that goes on, or was done last. */
export const BackupRun = Strict({
  act: OneOf(["back_up", "verify", "clean_up"]),
  state: OneOf(["running", "done", "failed"]),
  begun_at: Instant,
  ended_at: Nullable(Instant),
  doing: Type.String({ description: "What goes on, in a few words" }),
  share: Type.Number({ minimum: 0, maximum: 1, description: "How far it is, as far as that is known" }),
  succeeded: Count,
  failed: Count,
  backup_ids: Type.Array(BackupId),
  problem: Nullable(Type.String({ description: "Why it failed, and what to do" })),
});
export type BackupRun = Static<typeof BackupRun>;

export const BackupState = Strict({
  is_on: Type.Boolean(),
  target: OneOf(["folder", "s3", "azure"]),
  is_on_stores_disk: Type.Boolean({ description: "One broken disk would take the store and its backups" }),
  recipient: Nullable(Type.String({ description: "Public key that backups are sealed for" })),
  can_open: Type.Boolean({ description: "Whether this service holds the key that opens them" }),
  newest: Type.Array(Strict({ kind: BackupKind, backup: Nullable(Backup) })),
  archive: Strict({
    state: OneOf(["following", "elsewhere", "stopped", "off"], {}),
    restorable_from: Nullable({
      ...Instant,
      description: "Null until what follows the oldest base is archived",
    }),
    restorable_to: Nullable(Instant),
    lag_seconds: Nullable(Count),
    problem: Nullable(Type.String({ description: "What keeps it from archiving, and what to do" })),
    problem_code: Nullable(Type.String({ description: "The problem's kind, such as backup_target.full" })),
  }),
  retention_days: Strict({ database: Count, config: Count, vpn: Count }),
  last_verification: Nullable(Verification),
});
export type BackupState = Static<typeof BackupState>;

const RUNNING = { status: 202, schema: BackupRun } as const;
const CANNOT_RUN = [backupErrors.isOff, backupErrors.notPossible, backupErrors.alreadyRunning] as const;

export const backups = {
  state: defineRoute({
    method: "GET",
    path: "/api/admin/backups/state",
    access: "admin",
    scope: "backups:read",
    tag: "backups",
    summary: "Shows the newest backup of each kind, and from when to when the database can be restored",
    success: { status: 200, schema: BackupState },
    errors: [],
  }),
  list: defineRoute({
    method: "GET",
    path: "/api/admin/backups",
    access: "admin",
    scope: "backups:read",
    tag: "backups",
    summary: "Lists backups, the newest first",
    ...pagesOf(Backup, { kind: Type.Optional(BackupKind) }),
    errors: [],
  }),
  run: defineRoute({
    method: "GET",
    path: "/api/admin/backups/run",
    access: "admin",
    scope: "backups:read",
    tag: "backups",
    summary: "Tells how far the work is that goes on, or how the last one ended",
    success: { status: 200, schema: Strict({ run: Nullable(BackupRun) }) },
    errors: [],
  }),
  show: defineRoute({
    method: "GET",
    path: "/api/admin/backups/{id}",
    access: "admin",
    scope: "backups:read",
    tag: "backups",
    summary: "Shows a backup, and what its last verification found",
    params: BackupParams,
    success: { status: 200, schema: Backup },
    errors: [backupErrors.notFound],
  }),
  start: defineRoute({
    method: "POST",
    path: "/api/admin/backups/runs",
    access: "admin",
    scope: "backups:write",
    tag: "backups",
    summary: "Makes backups of all kinds now, or of one",
    body: Strict({ kind: Type.Optional(BackupKind) }),
    success: RUNNING,
    errors: CANNOT_RUN,
  }),
  verify: defineRoute({
    method: "POST",
    path: "/api/admin/backups/{id}/verify",
    access: "admin",
    scope: "backups:write",
    tag: "backups",
    summary: "Opens a backup and checks it; one of the database is restored into a server of its own",
    params: BackupParams,
    success: RUNNING,
    errors: [...CANNOT_RUN, backupErrors.notFound, backupErrors.noKey],
  }),
  cleanUp: defineRoute({
    method: "POST",
    path: "/api/admin/backups/clean-up",
    access: "admin",
    scope: "backups:write",
    tag: "backups",
    summary: "Removes backups whose days are over, and what interrupted ones left",
    success: RUNNING,
    errors: CANNOT_RUN,
  }),
};
