import { parseEventLine } from "@securewave/foundation";
import type { Report } from "./report.ts";

/** What the auditor is told on standard input, in the first line. When the input ends, it stops. */
export interface AuditorOrder {
  readonly software: { readonly name: string; readonly version: string };
  /** Whether devices of ghosts are removed at once; otherwise the node is given the time to forget them by itself. */
  readonly isQuick: boolean;
  /** The service, as this machine reaches it. */
  readonly apiUrl: string;
  /** What those who reach it call it, with the port. */
  readonly apiHost: string;
  readonly dataDir: string;
  /** More folders that are searched: of backups, of an archive. */
  readonly folders: readonly string[];
  readonly database: {
    readonly url: string;
    /** Where its files are; undefined where this machine has none of them. */
    readonly dataDir?: string | undefined;
    /** Only where dumps and base backups can be made of it. */
    readonly hasTools: boolean;
  };
  readonly redisUrl?: string | undefined;
  readonly logPath?: string | undefined;
  readonly metricsUrl?: string | undefined;
  /** A VPN server on this machine that ghosts may use; undefined where there is none. */
  readonly node?: AuditorNode | undefined;
  readonly backups?: AuditorBackups | undefined;
}

/** Where the service's sealed backups go. */
export interface AuditorBackups {
  /** Whether the service makes any. */
  readonly isOn: boolean;
  readonly target: {
    /** A folder's path, or a URL of what is no folder. */
    readonly url: string;
    readonly credentials?:
      | {
          readonly accessKeyId?: string;
          readonly secretAccessKey?: string;
          readonly accountKey?: string;
          readonly sasToken?: string;
        }
      | undefined;
  };
  /** What opens them, the newest first; none where this machine is not to. */
  readonly identities: readonly string[];
  /** So long what was written to the database may take to get there. */
  readonly archiveSeconds: number;
  /** Whether the database can be backed up, and its log follows, as far as the service knows. */
  readonly isDatabaseFollowed: boolean;
}

/** Texts that a backup must hold besides, so that they can be found in it. */
export interface BackupControls {
  readonly config: string;
  readonly vpn: string;
}

/** What the auditor is told when it had asked for a backup, in one line. */
export interface BackupAnswer {
  /** Of the kinds that one was made of; why another was not, the service's log says. */
  readonly backupIds: readonly string[];
}

export interface AuditorNode {
  readonly id: string;
  readonly interfaceName: string;
  readonly listenPort: number;
  /** Its own address in the tunnel. */
  readonly gateway: string;
  readonly agent: { readonly entry: string; readonly stateDir: string; readonly accepted: string };
  /** Of the account that was made for the ghosts. */
  readonly token: string;
}

/** What the auditor says on standard output, one JSON value a line. */
export type AuditorEvent =
  | {
      readonly kind: "surfaces";
      readonly surfaces: readonly { readonly id: string; readonly title: string }[];
    }
  | { readonly kind: "step"; readonly text: string }
  | {
      readonly kind: "surface";
      readonly id: string;
      readonly state: "searching" | "done";
      readonly bytes: number;
      readonly sources: number;
    }
  /** Asks for a backup of every kind, which a `BackupAnswer` follows. */
  | { readonly kind: "back_up"; readonly controls: BackupControls }
  | { readonly kind: "report"; readonly report: Report };

const KINDS: readonly AuditorEvent["kind"][] = ["surfaces", "step", "surface", "back_up", "report"];

/** @returns undefined for what is none */
export function parseAuditorEvent(line: string): AuditorEvent | undefined {
  return parseEventLine<AuditorEvent>(line, KINDS);
}
