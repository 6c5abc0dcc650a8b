import { ApiError, sessionErrors } from "@securewave/contracts";
import { isRefusal, PageError } from "./problems.ts";

/** Whether this browser can make and use passkeys at this address; over plain HTTP none can. */
export function hasPasskeys(): boolean {
  return window.isSecureContext && typeof PublicKeyCredential === "function";
}

/** Whether the browser suggests passkeys in the field for the mail address. */
export async function suggestsPasskeys(): Promise<boolean> {
  return hasPasskeys() && (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true;
}

/** Names of errors of the browser. @see https://www.w3.org/TR/webauthn-3/#sctn-createCredential */
const WORDS: Readonly<Record<string, string>> = {
  NotAllowedError: "Nothing was confirmed. Try again when you are ready.",
  InvalidStateError: "This device holds a passkey of your account already.",
  NotSupportedError: "This device cannot make a passkey that this service takes.",
  ConstraintError: "This device cannot make a passkey that this service takes.",
  SecurityError: "Passkeys do not work at the address under which you opened this page.",
};

/**
 * Puts what went wrong with a passkey into words.
 *
 * @returns the error to show; undefined when it was taken back and there is nothing to tell
 */
export function explainPasskey(error: unknown): Error | undefined {
  if (isRefusal(error, sessionErrors.wrongCredentials)) {
    return new PageError("This passkey is not known here. Log in with your password.");
  }
  if (error instanceof ApiError || error instanceof PageError) return error;
  if (!(error instanceof Error)) return new PageError("The passkey did not work.");
  if (error.name === "AbortError") return undefined;
  return new PageError(WORDS[error.name] ?? "The passkey did not work. Try again.");
}
