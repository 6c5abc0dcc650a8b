import { createHmac } from "node:crypto";
import { accountErrors, sessionErrors } from "@securewave/contracts";
import { RefusalError } from "@securewave/foundation";
import type { Blocklist } from "@securewave/sentinel/blocklist";
import type { Failures } from "@securewave/sentinel/failures";
import type { Telemetry } from "./http/telemetry.ts";
import type { Audit } from "./modules/audit/index.ts";

export interface LogInGuardOptions {
  readonly failures: Failures;
  readonly blocklist: Blocklist;
  readonly audit: Pick<Audit, "recordLater">;
  readonly telemetry: Pick<Telemetry, "countAuthAttempt">;
  /** Under which what was tried becomes a pseudonym in memory; 32 bytes. */
  readonly key: Uint8Array;
}

export interface Attempt {
  /** What failures are counted for: the mail address given, or what else names the one who is tried. */
  readonly tried: string;
  /** Undefined when nobody goes by that. */
  readonly accountId: string | undefined;
  /** The day's pseudonym of where it comes from. */
  readonly origin: string;
  readonly method: "password" | "totp" | "passkey";
}

/** Counts what fails wherever a password, a code or a passkey is checked, and locks who fails too often. */
export type LogInGuard = ReturnType<typeof createLogInGuard>;

const GUESSES = new Set([
  sessionErrors.wrongCredentials.code,
  sessionErrors.wrongCode.code,
  accountErrors.wrongPassword.code,
]);

export function createLogInGuard({ failures, blocklist, audit, telemetry, key }: LogInGuardOptions) {
  const subjectOf = (tried: string) =>
    createHmac("sha256", key).update(tried.toLowerCase()).digest("base64url").slice(0, 22);

  async function admit(subject: string, { origin, method }: Attempt): Promise<void> {
    const { lockedSeconds } = await failures.check(subject, origin);
    if (lockedSeconds === 0) return;
    telemetry.countAuthAttempt(method, "locked");
    blocklist.logInFailed(origin); // who goes on trying all the same is shut out
    throw sessionErrors.locked({ retryAfterSeconds: lockedSeconds });
  }

  async function refused(subject: string, { accountId, origin, method }: Attempt): Promise<void> {
    await failures.failed(subject, origin);
    blocklist.logInFailed(origin);
    audit.recordLater({
      kind: "login_refused",
      actor: "unknown",
      subject: accountId ?? "unknown",
      details: { method },
      origin,
    });
  }

  return {
    /**
     * Runs a check, unless too many have failed. One that finds a guess wrong is counted; one that is refused for
     * another reason, as when the code is still to come, neither counts nor clears what was counted.
     *
     * @throws sessions.locked, for whom there is and whom there is not alike; and what the check throws
     */
    async attempt<Result>(attempt: Attempt, check: () => Promise<Result>): Promise<Result> {
      const subject = subjectOf(attempt.tried);
      await admit(subject, attempt);
      let result: Result;
      try {
        result = await check();
      } catch (error) {
        const code = error instanceof RefusalError ? error.code : undefined;
        const method = code === sessionErrors.wrongCode.code ? "totp" : attempt.method;
        if (code !== undefined && GUESSES.has(code)) await refused(subject, { ...attempt, method });
        else await failures.released(subject, attempt.origin);
        throw error;
      }
      await failures.succeeded(subject, attempt.origin);
      return result;
    },
    isUnderAttack: () => failures.isUnderAttack(),
  };
}
