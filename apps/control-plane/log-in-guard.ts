import { createHmac } from "node:crypto";
import { sessionErrors } from "@securewave/contracts";
import type { Blocklist } from "@securewave/sentinel/blocklist";
import type { Failures } from "@securewave/sentinel/failures";
import type { Telemetry } from "./http/telemetry.ts";
import type { Audit } from "./modules/audit/index.ts";

export interface LogInGuardOptions {
  readonly failures: Failures;
  readonly blocklist: Blocklist;
  readonly audit: Audit;
  readonly telemetry: Telemetry;
  /** Under which mail addresses become pseudonyms in memory; 32 bytes. */
  readonly key: Uint8Array;
}

export interface RefusedLogIn {
  readonly email: string;
  /** Undefined when nobody has this mail address. */
  readonly accountId: string | undefined;
  /** The day's pseudonym of where it comes from. */
  readonly origin: string;
  readonly method: "password" | "totp" | "passkey";
}

/** Counts what fails wherever a password or a code is checked, and locks who fails too often. */
export type LogInGuard = ReturnType<typeof createLogInGuard>;

export function createLogInGuard({ failures, blocklist, audit, telemetry, key }: LogInGuardOptions) {
  const subjectOf = (email: string) =>
    createHmac("sha256", key).update(email.toLowerCase()).digest("base64url").slice(0, 22);
  return {
    /** @throws sessions.locked, for known and unknown mail addresses alike */
    async admit(email: string, origin: string, method: RefusedLogIn["method"]): Promise<void> {
      const { lockedSeconds } = await failures.check(subjectOf(email), origin);
      if (lockedSeconds === 0) return;
      telemetry.countAuthAttempt(method, "locked");
      blocklist.logInFailed(origin); // who goes on trying all the same is shut out
      throw sessionErrors.locked({ retryAfterSeconds: lockedSeconds });
    },
    async refused({ email, accountId, origin, method }: RefusedLogIn): Promise<void> {
      await failures.failed(subjectOf(email), origin);
      blocklist.logInFailed(origin);
      audit.recordLater({
        kind: "login_refused",
        actor: "unknown",
        subject: accountId ?? "unknown",
        details: { method },
        origin,
      });
    },
    async succeeded(email: string, origin: string): Promise<void> {
      await failures.succeeded(subjectOf(email), origin);
    },
    isUnderAttack: () => failures.isUnderAttack(),
  };
}
