import { ApiError, deviceErrors, nodeErrors, requestErrors, sessionErrors } from "@securewave/contracts";
import type { InputIssue } from "@securewave/foundation";

/** What the process answers its caller with. */
export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A failure as it is shown: `code` for programs, `message` and `next` for people. */
export interface ShownFailure {
  readonly code: string;
  readonly message: string;
  /** What to do. */
  readonly next?: string;
  /** HTTP status, where the service answered. */
  readonly status?: number;
  readonly issues?: readonly InputIssue[];
}

/** The command cannot do what it was asked to, for a reason that the service did not give. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly code: string;
  readonly next: string | undefined;
  readonly exitCode: ExitCode;

  constructor(code: string, message: string, options: { next?: string; exitCode?: ExitCode } = {}) {
    super(message);
    this.code = code;
    this.next = options.next;
    this.exitCode = options.exitCode ?? EXIT.failed;
  }
}

/** The command was called in a way it does not take. */
export function usageError(message: string, next?: string): CliError {
  return new CliError("cli.usage", message, { exitCode: EXIT.usage, ...(next !== undefined && { next }) });
}

const LOG_IN = "Log in: securewave login";

/** The next step for refusals of the service. */
const NEXT: Readonly<Record<string, string>> = {
  "client.unreachable":
    "Start it with `npm start`, or give its address with --url. `securewave doctor` looks for the cause.",
  "client.unexpected": "Is this the address of a SecureWave service? Give another one with --url.",
  [requestErrors.notLoggedIn.code]: LOG_IN,
  [requestErrors.notAllowed.code]: "See which account you use: securewave whoami",
  [requestErrors.storeUnavailable.code]: "See how the service is: securewave status",
  [sessionErrors.refreshInvalid.code]: LOG_IN,
  [sessionErrors.refreshReused.code]: LOG_IN,
  [deviceErrors.privateKeyNotHeld.code]:
    "Use the file that `devices add` wrote: securewave devices qr --file <file>",
  [deviceErrors.limitReached.code]: "See your devices: securewave devices mine",
  [deviceErrors.nameInUse.code]: "Take another name, or see your devices: securewave devices mine",
  [deviceErrors.serverUnavailable.code]: "Leave --server away: the service then chooses one.",
  [nodeErrors.notEmpty.code]:
    "See the devices: securewave devices list. Stop new ones: securewave nodes drain <node>",
  [nodeErrors.nameInUse.code]: "See the nodes: securewave nodes list",
};

/** How a thrown value is shown, and how the process ends after it. */
export function describeFailure(error: unknown): {
  readonly shown: ShownFailure;
  readonly exitCode: ExitCode;
} {
  if (error instanceof CliError) {
    const { code, message, next, exitCode } = error;
    return { shown: { code, message, ...(next !== undefined && { next }) }, exitCode };
  }
  if (error instanceof ApiError) {
    const next = NEXT[error.code];
    const issues = error.problem?.issues ?? [];
    return {
      shown: {
        code: error.code,
        message: error.message,
        ...(next !== undefined && { next }),
        ...(error.status > 0 && { status: error.status }),
        ...(issues.length > 0 && { issues }),
      },
      exitCode: error.status === 0 ? EXIT.unreachable : EXIT.failed,
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { shown: { code: "cli.failed", message }, exitCode: EXIT.failed };
}
