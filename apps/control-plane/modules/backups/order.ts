import type { TargetOptions } from "@securewave/backup";
import type { Backup, BackupKind, BackupVerification } from "@securewave/contracts";
import { parseEventLine } from "@securewave/foundation";

export interface BackupKeys {
  /** What is sealed is sealed for it: `age1…`. */
  readonly recipient: string;
  /** What opens them, the newest first; none where this machine is not to. */
  readonly identities: readonly string[];
}

/** The database as this machine reaches it. */
export interface DatabaseAccess {
  readonly url: string;
  /** Of a login that may replicate. */
  readonly replicationUrl: string;
}

/** Of tunnels, as they stand in devices' configs. */
export interface TunnelTexts {
  readonly poolV4: string;
  readonly poolV6: string;
  readonly dns: readonly string[];
  readonly mtu: number;
  readonly keepaliveSeconds: number;
}

/** A text that goes into a backup: the settings, or what a node should have. */
export interface BackupText {
  readonly name: string;
  readonly text: string;
}

interface Common {
  /** What is secret in it never stands in an argument. */
  readonly target: TargetOptions;
  readonly keys: BackupKeys;
  readonly version: string;
  readonly retentionDays: Readonly<Record<BackupKind, number>>;
  readonly tunnels: TunnelTexts;
}

/** What the worker is told on standard input, in one line. When the input ends, it stops. */
export type BackupOrder = Common &
  (
    | {
        readonly act: "back_up";
        readonly kinds: readonly BackupKind[];
        readonly database: DatabaseAccess;
        /** What the kinds other than the database consist of, with what a search of them must find (`CONTROL_NAME`). */
        readonly texts: Readonly<Record<Exclude<BackupKind, "database">, readonly BackupText[]>>;
        /** How many rows of what these tell. */
        readonly counts: Readonly<Record<Exclude<BackupKind, "database">, Readonly<Record<string, number>>>>;
      }
    | { readonly act: "verify"; readonly backupId: string; readonly database: DatabaseAccess }
    | {
        readonly act: "clean_up";
        /** Before their days are over, but for the last of a kind; without them, all whose days are over. */
        readonly backupIds?: readonly string[];
      }
  );

/** Of a text that a search for traces puts into a backup to find it again; nobody else reads it. */
export const CONTROL_NAME = "ghost-control.txt";

/** As the target's manifests tell it. */
export type KnownBackup = Omit<Backup, "verification">;

/** What the worker says on standard output, one JSON value a line. */
export type BackupEvent =
  | { readonly kind: "progress"; readonly doing: string; readonly share: number }
  | { readonly kind: "made"; readonly backupId: string }
  | { readonly kind: "removed"; readonly backupIds: readonly string[] }
  | { readonly kind: "verified"; readonly verification: BackupVerification }
  /** One thing went wrong; others go on. `code` is a refusal's. */
  | { readonly kind: "failed"; readonly what: string; readonly code: string; readonly problem: string }
  /** All that the target holds, at the end; of the damaged, no more is known than their ids. */
  | { readonly kind: "holds"; readonly backups: readonly KnownBackup[]; readonly damaged: readonly string[] };

const KINDS: readonly BackupEvent["kind"][] = ["progress", "made", "removed", "verified", "failed", "holds"];

/** @returns undefined for what is none */
export function parseBackupEvent(line: string): BackupEvent | undefined {
  return parseEventLine<BackupEvent>(line, KINDS);
}
