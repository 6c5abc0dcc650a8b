import type { Clock } from "@securewave/foundation";

export type MachineOrder =
  | {
      readonly act: "restore";
      /** `latest`, or an instant. */
      readonly to: string;
      /** PostgreSQL's data folder to be; that of the embedded store where nothing is said. */
      readonly into?: string | undefined;
      /** A file with the keys that open, in place of the settings'. */
      readonly keyFile?: string | undefined;
    }
  | {
      readonly act: "export";
      readonly backupId: string;
      readonly toDir: string;
      /** Opened and unpacked, as far as it is text. */
      readonly isOpened: boolean;
      readonly keyFile?: string | undefined;
    }
  | { readonly act: "keys" }
  | { readonly act: "rotate" };

export type OrderOf<Act extends MachineOrder["act"]> = Extract<MachineOrder, { act: Act }>;

export type MachineEvent =
  | { readonly kind: "progress"; readonly doing: string; readonly share: number }
  | { readonly kind: "done"; readonly result: object }
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

export interface Told {
  progress(doing: string, share: number): Promise<void>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}
