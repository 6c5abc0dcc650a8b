import { type Session, sessionErrors } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, createId, DAY_MS, dayOf } from "@securewave/foundation";
import { hashToken } from "@securewave/foundation/secret";
import type { Bus } from "../../bus.ts";
import type { Authenticate } from "../../http/mount.ts";
import type { Telemetry } from "../../http/telemetry.ts";
import { type Accounts, isRightPassword, viewOf } from "../accounts/index.ts";
import type { AccessTokens } from "./access-token.ts";
import { createHolderCache } from "./holder-cache.ts";
import { createRefreshTokens } from "./refresh-token.ts";
import * as store from "./store.ts";

export interface SessionsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly accounts: Accounts;
  readonly telemetry: Telemetry;
  readonly accessTokens: AccessTokens;
  readonly refreshKey: Uint8Array;
  readonly refreshDays: number;
}

/** A log-in with its refresh token, which the route puts where the caller wants it. */
export interface OpenedSession {
  readonly session: Session;
  readonly refreshToken: string;
}

export type Sessions = ReturnType<typeof createSessions>;

/** Answers get lost and pages refresh side by side: the token before the present one still works for so long. */
const GRACE_MS = 10_000;

export function createSessions(options: SessionsOptions) {
  const { database, clock, bus, accounts, telemetry, accessTokens, refreshDays } = options;
  const { db } = database;
  const refreshTokens = createRefreshTokens(options.refreshKey);
  const rotatedAtMs = new Map<string, number>();
  const today = () => dayOf(clock.now());
  const expiryDay = () => dayOf(clock.now() + refreshDays * DAY_MS);
  const holderOf = createHolderCache(
    bus,
    clock,
    (sessionId) => store.findHolder(db, sessionId, today()),
    telemetry.observeSessionLookup,
  );
  bus.subscribe("refresh-rotated", (hash) => {
    rotatedAtMs.set(hash, clock.now());
    for (const [old, atMs] of rotatedAtMs) {
      if (atMs + GRACE_MS > clock.now()) break;
      rotatedAtMs.delete(old);
    }
  });

  accounts.onChange(async (trx, account) => {
    if (account.state === "suspended") await store.deleteSessionsOf(trx, account.id);
    return () => bus.publish("sessions-changed", account.id);
  });

  async function opened(accountId: string, sessionId: string, refreshToken: string): Promise<OpenedSession> {
    const account = await accounts.get(accountId);
    if (account.state === "suspended") throw sessionErrors.accountSuspended();
    const session: Session = {
      access_token: accessTokens.sign({ accountId, sessionId }),
      token_type: "Bearer",
      expires_in: accessTokens.lifeSeconds,
      account: viewOf(account),
    };
    return { session, refreshToken };
  }

  async function end(sessionId: string): Promise<void> {
    await store.deleteSession(db, sessionId);
    bus.publish("sessions-changed", sessionId);
  }

  /** The token is not the present one: a late answer of a moment ago, a stolen old one, or a guess. */
  async function refreshWithOld(sessionId: string, token: string, next: string): Promise<OpenedSession> {
    const session = await store.findSession(db, sessionId, today());
    if (!session || !refreshTokens.isAncestor(token, session.refresh_hash))
      throw sessionErrors.refreshInvalid();
    const rotated = rotatedAtMs.get(hashToken(token).toString("hex"));
    const isLatest = session.previous_hash?.equals(hashToken(token)) ?? false;
    if (isLatest && rotated !== undefined && rotated + GRACE_MS > clock.now()) {
      return opened(session.account_id, sessionId, next);
    }
    await end(sessionId);
    throw sessionErrors.refreshReused();
  }

  return {
    /** Opens a session for an account that has proved itself. */
    async open(accountId: string): Promise<OpenedSession> {
      const id = createId("session");
      const refreshToken = refreshTokens.first(id);
      const result = await opened(accountId, id, refreshToken);
      const refresh_hash = hashToken(refreshToken);
      await store.insertSession(db, { id, account_id: accountId, refresh_hash, expires_on: expiryDay() });
      return result;
    },

    /**
     * Checks a password. An unknown account takes as long and answers the same as a wrong password.
     *
     * @throws sessions.wrong_credentials, sessions.email_unverified, sessions.account_suspended
     */
    async logIn(email: string, password: string): Promise<OpenedSession> {
      const account = await accounts.findByEmail(email);
      const isRight = await isRightPassword(account?.password_hash, password);
      telemetry.countAuthAttempt("password", isRight ? "success" : "failure");
      if (!account || !isRight) throw sessionErrors.wrongCredentials();
      if (account.state === "unverified") throw sessionErrors.emailUnverified();
      return this.open(account.id);
    },

    /** @throws sessions.refresh_invalid, sessions.refresh_reused, sessions.account_suspended */
    async refresh(token: string | undefined): Promise<OpenedSession> {
      const sessionId = token === undefined ? undefined : refreshTokens.sessionIdOf(token);
      if (token === undefined || sessionId === undefined) throw sessionErrors.refreshInvalid();
      const next = refreshTokens.after(token);
      const present = hashToken(token);
      const rotated = await store.rotateSession(db, sessionId, present, {
        hash: hashToken(next),
        expiresOn: expiryDay(),
        today: today(),
      });
      if (!rotated) return refreshWithOld(sessionId, token, next);
      bus.publish("refresh-rotated", present.toString("hex"));
      return opened(rotated.account_id, sessionId, next);
    },

    end,

    async endAll(accountId: string): Promise<void> {
      await store.deleteSessionsOf(db, accountId);
      bus.publish("sessions-changed", accountId);
    },

    async deleteExpired(): Promise<void> {
      await store.deleteExpiredSessions(db, today());
    },

    /** Reads the `Authorization: Bearer` header. @see https://www.rfc-editor.org/rfc/rfc6750 */
    authenticate: (async (request) => {
      const header = request.headers.authorization;
      const token = header?.startsWith("Bearer ") ? header.slice("Bearer ".length) : undefined;
      const claims = token === undefined ? undefined : accessTokens.verify(token);
      const holder = claims && (await holderOf(claims.sessionId));
      if (!claims || holder?.accountId !== claims.accountId) return undefined;
      return { accountId: holder.accountId, sessionId: claims.sessionId, role: holder.role };
    }) satisfies Authenticate,
  };
}
