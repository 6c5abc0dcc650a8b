import { type LogIn, type Session, sessionErrors } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, createId, DAY_MS, dayOf } from "@securewave/foundation";
import { hashToken } from "@securewave/foundation/secret";
import type { CookieSessions } from "@securewave/sentinel/sessions";
import type { AccessTokens } from "@securewave/sentinel/tokens";
import type { Bus } from "../../bus.ts";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import { type Account, type Accounts, viewOf } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import type { LogInMethod } from "./log-in.ts";
import { createRefreshTokens } from "./refresh-token.ts";
import * as store from "./store.ts";

export interface SessionsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly accounts: Accounts;
  readonly audit: Audit;
  readonly accessTokens: AccessTokens;
  readonly cookies: Pick<CookieSessions, "issue">;
  /** Makes each refresh token of a session follow from the one before. */
  readonly refreshKey: Uint8Array;
  readonly refreshDays: number;
}

/** A browser's log-in that was opened: what goes into its cookie. */
export interface OpenedBrowser {
  readonly sessionId: string;
  readonly account: Account;
  readonly cookieText: string;
}

export type Sessions = ReturnType<typeof createSessions>;

/** Answers get lost and pages refresh side by side: the token before the present one still works for so long. */
const GRACE_MS = 10_000;

export function createSessions(options: SessionsOptions) {
  const { database, clock, bus, accounts, audit, accessTokens, cookies, refreshDays } = options;
  const { db } = database;
  const refreshTokens = createRefreshTokens(options.refreshKey);
  const rotatedAtMs = new Map<string, number>();
  const today = () => dayOf(clock.now());
  const expiryDay = () => dayOf(clock.now() + refreshDays * DAY_MS);
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

  /** One transaction: whoever is logged in stands in the trail. */
  async function insert(
    account: Account,
    id: string,
    session: { refresh_hash: Buffer; kind: "browser" | "program" },
    method: LogInMethod | "setup",
  ): Promise<void> {
    await database.transaction(async (trx) => {
      const days = { created_on: today(), expires_on: expiryDay() };
      await store.insertSession(trx, { id, account_id: account.id, ...session, ...days });
      await audit.record(trx, {
        kind: "login_succeeded",
        actor: account.id,
        subject: account.id,
        details: { method },
      });
    });
  }

  async function sessionOf(accountId: string, sessionId: string, refreshToken: string): Promise<Session> {
    const account = await accounts.get(accountId);
    if (account.state === "suspended") throw sessionErrors.accountSuspended();
    return {
      access_token: accessTokens.sign({ accountId, sessionId }),
      token_type: "Bearer",
      expires_in: accessTokens.lifeSeconds,
      refresh_token: refreshToken,
      account: viewOf(account),
    };
  }

  async function end(sessionId: string): Promise<void> {
    await store.deleteSession(db, sessionId);
    bus.publish("sessions-changed", sessionId);
  }

  /** The token is not the present one: a late answer of a moment ago, a stolen old one, or a guess. */
  async function refreshWithOld(sessionId: string, token: string, next: string): Promise<Session> {
    const session = await store.findSession(db, sessionId, today());
    if (!session || !refreshTokens.isAncestor(token, session.refresh_hash))
      throw sessionErrors.refreshInvalid();
    const rotated = rotatedAtMs.get(hashToken(token).toString("hex"));
    const isLatest = session.previous_hash?.equals(hashToken(token)) ?? false;
    if (isLatest && rotated !== undefined && rotated + GRACE_MS > clock.now()) {
      return sessionOf(session.account_id, sessionId, next);
    }
    await end(sessionId);
    await audit.record(db, {
      kind: "refresh_reused",
      actor: "unknown",
      subject: session.account_id,
      details: {},
    });
    throw sessionErrors.refreshReused();
  }

  return {
    /** Opens the log-in of a program for an account that has proved itself. */
    async openProgram(account: Account, method: LogInMethod): Promise<Session> {
      const id = createId("session");
      const refreshToken = refreshTokens.first(id);
      const session = await sessionOf(account.id, id, refreshToken);
      await insert(account, id, { refresh_hash: hashToken(refreshToken), kind: "program" }, method);
      return session;
    },

    /** Opens the log-in of a browser. Its id is always a fresh one, so nobody can fix it beforehand. */
    async openBrowser(account: Account, method: LogInMethod | "setup"): Promise<OpenedBrowser> {
      if (account.state === "suspended") throw sessionErrors.accountSuspended();
      const sessionId = createId("session");
      const { text, hash } = cookies.issue(sessionId);
      await insert(account, sessionId, { refresh_hash: hash, kind: "browser" }, method);
      return { sessionId, account, cookieText: text };
    },

    /**
     * Lets a browser's log-in last longer when more than half of its time is over: written that seldom, it
     * tells nobody when it was used.
     *
     * @returns whether the cookie must be set anew
     */
    async prolong(sessionId: string): Promise<boolean> {
      const ifBefore = dayOf(clock.now() + (refreshDays / 2) * DAY_MS);
      const isProlonged = await store.prolongSession(db, sessionId, { ifBefore, to: expiryDay() });
      if (isProlonged) bus.publish("sessions-changed", sessionId);
      return isProlonged;
    },

    /** @throws sessions.refresh_invalid, sessions.refresh_reused, sessions.account_suspended */
    async refresh(token: string): Promise<Session> {
      const sessionId = refreshTokens.sessionIdOf(token);
      if (sessionId === undefined) throw sessionErrors.refreshInvalid();
      const next = refreshTokens.after(token);
      const present = hashToken(token);
      const rotated = await store.rotateSession(db, sessionId, present, {
        hash: hashToken(next),
        expiresOn: expiryDay(),
        today: today(),
      });
      if (!rotated) return refreshWithOld(sessionId, token, next);
      bus.publish("refresh-rotated", present.toString("hex"));
      return sessionOf(rotated.account_id, sessionId, next);
    },

    async list(accountId: string, currentId: string, page: PageRequest) {
      const bounds = boundsOf(page, 1);
      const rows = await store.listSessionsOf(db, accountId, today(), bounds);
      const view = ({ id, kind, created_on, expires_on }: store.SessionRow): LogIn => ({
        id,
        kind,
        is_current: id === currentId,
        created_on,
        expires_on,
      });
      return pageOf(rows, bounds, ({ id }) => [id], view);
    },

    end,

    /** @throws sessions.not_found */
    async endOne(accountId: string, sessionId: string): Promise<void> {
      await database.transaction(async (trx) => {
        if (!(await store.deleteSessionOf(trx, accountId, sessionId))) throw sessionErrors.notFound();
        await audit.record(trx, { kind: "session_ended", actor: accountId, subject: accountId, details: {} });
      });
      bus.publish("sessions-changed", sessionId);
    },

    /** Ends every log-in of an account, but one where one is named. */
    async endAll(accountId: string, { actor = accountId, exceptId = undefined as string | undefined } = {}) {
      await database.transaction(async (trx) => {
        await store.deleteSessionsOf(trx, accountId, exceptId);
        await audit.record(trx, { kind: "sessions_ended", actor, subject: accountId, details: {} });
      });
      bus.publish("sessions-changed", accountId);
    },

    async deleteExpired(): Promise<void> {
      await store.deleteExpiredSessions(db, today());
    },
  };
}
