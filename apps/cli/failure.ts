import {
  ApiError,
  alertErrors,
  apiKeyErrors,
  backupErrors,
  blockErrors,
  deviceErrors,
  drillErrors,
  jobErrors,
  nodeErrors,
  requestErrors,
  sentinelErrors,
  sessionErrors,
  statusErrors,
} from "@securewave/contracts";
import { type InputIssue, SECOND_MS } from "@securewave/foundation";
import { humanDuration } from "./human.ts";

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
  /** After how long trying again makes sense, where the service said so. */
  readonly retry_after_seconds?: number;
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

/** The service refused, and what to do depends on when and as whom it was asked. */
class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly refusal: ApiError;
  readonly next: string;

  constructor(refusal: ApiError, next: string) {
    super(refusal.message);
    this.refusal = refusal;
    this.next = next;
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
  [deviceErrors.serverUnavailable.code]:
    "Name no server: the service then chooses one. See them: securewave servers best",
  [deviceErrors.serverNotIncluded.code]: "See the servers and what your plan has: securewave servers list",
  [deviceErrors.regionUnavailable.code]: "Name another region, or none: securewave servers best",
  [deviceErrors.needsOwnKey.code]: "Leave --server-keys away: the key is then made here.",
  [deviceErrors.agreementNeeded.code]: "Agree another one with the new key: --agree",
  [sessionErrors.secondFactorNeeded.code]:
    "Where nobody can be asked, the code stands in the line after the password: --password-stdin",
  [sentinelErrors.scopeMissing.code]:
    "Scopes are given to a key when it is made: securewave api-keys create --help",
  [apiKeyErrors.tooMany.code]: "See them: securewave api-keys list",
  [apiKeyErrors.tooLong.code]: "Let it end sooner: --expires-in <duration>",
  [blockErrors.wouldLockOut.code]: "Block a smaller network, in which you are not.",
  [nodeErrors.notEmpty.code]: "Move them to other nodes: securewave nodes drain <node> --wait",
  [nodeErrors.stillUsed.code]:
    "See until when: securewave nodes show <node>. To end them at once: securewave nodes remove <node> --now",
  [requestErrors.invalid.code]: "The same with --help shows what is taken.",
  [backupErrors.notFound.code]: "See them: securewave backup list",
  [backupErrors.alreadyRunning.code]: "See how far it is: securewave backup status",
  [backupErrors.noKey.code]:
    "Where the key is: securewave backup restore --to latest --into <dir> --key-file <file>",
  [drillErrors.notFound.code]: "See them: securewave drills list",
  [alertErrors.notFound.code]:
    "See what fires: securewave alerts list. docs/runbooks/alerts.md has all of them.",
  [alertErrors.notSilenced.code]: "See what fires: securewave alerts list",
  [statusErrors.tooSoon.code]: "An emergency is announced as one: --emergency",
  [statusErrors.noSuchComponent.code]: "See the parts: securewave status-page show --json",
  [jobErrors.notFound.code]: "See the jobs: securewave jobs list",
  [jobErrors.alreadyRunning.code]: "See how far it is: securewave jobs list",
  [jobErrors.runsByItself.code]: "What was given up can be queued again: securewave jobs dead",
  [jobErrors.letterNotFound.code]: "See them: securewave jobs dead",
  [nodeErrors.nameInUse.code]: "See the nodes: securewave nodes list",
};

/** Adds to what a command threw what to do where that depends on the present and on the environment. */
export function situated(
  error: unknown,
  nowMs: number,
  env: Readonly<Record<string, string | undefined>>,
): unknown {
  if (!(error instanceof ApiError)) return error;
  const { retryAfterSeconds } = error;
  if (retryAfterSeconds !== undefined) {
    const advice = [waitAdvice(retryAfterSeconds, nowMs), NEXT[error.code] ?? []].flat();
    return new RefusedError(error, advice.join(" "));
  }
  const variable = env.SECUREWAVE_API_KEY ? "SECUREWAVE_API_KEY" : "SECUREWAVE_TOKEN";
  if (error.code === requestErrors.notLoggedIn.code && env[variable])
    return new RefusedError(
      error,
      `${variable} is used in place of a log-in: mend what it holds, or unset it.`,
    );
  return error;
}

function waitAdvice(seconds: number, nowMs: number): string {
  const wait = `Try again in ${humanDuration(seconds)}`;
  if (seconds < 60) return `${wait}.`;
  // To the second and upwards, so that nobody comes too early.
  const until = new Date(Math.ceil(nowMs / SECOND_MS + seconds) * SECOND_MS).toISOString();
  return `${wait}, after ${until.slice(11, 19)} UTC.`;
}

/** How a thrown value is shown, and how the process ends after it. */
export function describeFailure(error: unknown): {
  readonly shown: ShownFailure;
  readonly exitCode: ExitCode;
} {
  if (error instanceof CliError) {
    const { code, message, next, exitCode } = error;
    return { shown: { code, message, ...(next !== undefined && { next }) }, exitCode };
  }
  if (error instanceof RefusedError) return describeRefusal(error.refusal, error.next);
  if (error instanceof ApiError) return describeRefusal(error, NEXT[error.code]);
  const message = error instanceof Error ? error.message : String(error);
  return { shown: { code: "cli.failed", message }, exitCode: EXIT.failed };
}

function describeRefusal(error: ApiError, next: string | undefined) {
  const { code, message, status, problem, retryAfterSeconds } = error;
  const issues = problem?.issues ?? [];
  const shown: ShownFailure = {
    code,
    message,
    ...(next !== undefined && { next }),
    ...(status > 0 && { status }),
    ...(retryAfterSeconds !== undefined && { retry_after_seconds: retryAfterSeconds }),
    ...(issues.length > 0 && { issues }),
  };
  return { shown, exitCode: status === 0 ? EXIT.unreachable : EXIT.failed };
}
