import {
  ApiError,
  accountErrors,
  apiKeyErrors,
  blockErrors,
  deviceErrors,
  nodeErrors,
  type Problem,
  sessionErrors,
} from "@securewave/contracts";

/** What a form shows after it was refused: beside its fields, and above them. */
export interface FormProblem {
  readonly fields: Readonly<Record<string, string>>;
  readonly general: string | undefined;
}

/** Something that this page itself found wrong, in words for people. */
export class PageError extends Error {
  override readonly name = "PageError";
  /** The field of the form that it speaks of. */
  readonly field: string | undefined;

  constructor(message: string, field?: string) {
    super(message);
    this.field = field;
  }
}

/** Refusals that speak of one field, though they name no part of the input; the first field a form has counts. */
const FIELDS_OF_CODE: Readonly<Record<string, readonly string[]>> = {
  [accountErrors.weakPassword.code]: ["password"],
  [accountErrors.wrongPassword.code]: ["current_password", "password"],
  [accountErrors.emailInUse.code]: ["email"],
  [sessionErrors.wrongCode.code]: ["code"],
  [apiKeyErrors.tooLong.code]: ["expires_in_days"],
  [blockErrors.wrongNetwork.code]: ["network"],
  [blockErrors.wouldLockOut.code]: ["network"],
  [deviceErrors.nameInUse.code]: ["name"],
  [deviceErrors.serverUnavailable.code]: ["place"],
  [deviceErrors.serverNotIncluded.code]: ["place"],
  [deviceErrors.regionUnavailable.code]: ["place"],
  [deviceErrors.noServer.code]: ["place"],
  [deviceErrors.noOtherServer.code]: ["place"],
  [nodeErrors.nameInUse.code]: ["name"],
};

/**
 * Sorts an error onto the fields of a form.
 *
 * @param names the fields the form has; what concerns others is told above them
 */
export function formProblemOf(error: unknown, names: readonly string[]): FormProblem {
  const message = explain(error);
  if (error instanceof PageError && error.field !== undefined && names.includes(error.field))
    return { fields: { [error.field]: message }, general: undefined };
  if (!(error instanceof ApiError)) return { fields: {}, general: message };
  const field = FIELDS_OF_CODE[error.code]?.find((candidate) => names.includes(candidate));
  if (field !== undefined) return { fields: { [field]: message }, general: undefined };

  const fields: Record<string, string> = {};
  const others: string[] = [];
  for (const issue of error.problem?.issues ?? []) {
    const name = names.find((candidate) => isAt(issue.at, candidate));
    if (name === undefined) others.push(sentence(issue.message));
    else fields[name] ??= sentence(issue.message);
  }
  const isSorted = Object.keys(fields).length > 0;
  if (isSorted && others.length === 0) return { fields, general: undefined };
  return { fields, general: isSorted ? others.join(" ") : message };
}

/** One sentence for people on what went wrong. */
export function explain(error: unknown): string {
  if (error instanceof PageError) return error.message;
  if (!(error instanceof ApiError)) return "Something went wrong in this page. Please try again.";
  if (error.code === "client.unreachable") return "The service cannot be reached at the moment.";
  if (error.code === "client.unexpected")
    return "The service gave an answer that this page does not understand.";
  return error.message;
}

export function isRefusal(error: unknown, refusal: { readonly code: string }): error is ApiError {
  return error instanceof ApiError && error.code === refusal.code;
}

/** Whether trying the same again without change may help. */
export function isPassing(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 500 || error.status === 429);
}

/** How long to wait before the next try; undefined where the service did not say so. */
export function pauseOf(error: unknown): number | undefined {
  return error instanceof ApiError && error.status === 429 ? error.retryAfterSeconds : undefined;
}

/** A log-in that waits for the mail address to be confirmed. */
export function isUnverified(error: unknown): boolean {
  return isRefusal(error, sessionErrors.emailUnverified);
}

/** JSON pointers of a body: `/email`; also `/tags/3` for the field `tags`. */
function isAt(pointer: NonNullable<Problem["issues"]>[number]["at"], name: string): boolean {
  const path = pointer.replace(/^(?:body)?\//, "");
  return path === name || path.startsWith(`${name}/`);
}

function sentence(message: string): string {
  // A regular expression helps nobody who fills in a form.
  if (message.startsWith("must match")) return "This is not in the right form.";
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
