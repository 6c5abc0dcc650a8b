/** All that the agent ever logs. A closed list, so that no address, key or token can slip in (ZERO-LOG R9). */
export type LogEvent =
  | "starting"
  | "interface-adopted"
  | "interface-created"
  | "interface-settled"
  | "connected"
  | "disconnected"
  | "control-plane-unproven"
  | "protocol-error"
  | "refused"
  | "applied"
  | "peers-refused"
  | "resync"
  | "drift-repaired"
  | "counting-failed"
  | "totals-not-kept"
  | "totals-not-written"
  | "credential-not-kept"
  | "failing"
  | "mended"
  | "not-forgetting"
  | "forgetting-again"
  | "unsafe-host"
  | "safe-host"
  | "saved-state-set-aside"
  | "saved-state-not-written"
  | "update-available"
  | "updating"
  | "updated"
  | "update-confirmed"
  | "update-failed"
  | "stopped";

export type LogFields = {
  /** The control plane's host, once at the start. */
  readonly host?: string;
  readonly revision?: number | null;
  readonly peers?: number;
  readonly upserts?: number;
  readonly removals?: number;
  readonly failed?: number;
  /** A sentence or code that the agent wrote itself. */
  readonly why?: string;
  readonly retry_ms?: number;
  /** Of an update. */
  readonly version?: string;
};

export type Log = (event: LogEvent, fields?: LogFields) => void;

export const silentLog: Log = () => undefined;

/** One line of JSON per event. Without a time: journald adds its own where the operator wants one. */
export function createLog(write: (line: string) => void): Log {
  return (event, fields = {}) => write(`${JSON.stringify({ event, ...fields })}\n`);
}
