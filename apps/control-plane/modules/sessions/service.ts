import { type LogIn, type Session, sessionErrors } from "@securewave/contracts";
import type { Database, Tables } from "@securewave/database";
import { type Clock, createId, dayOf } from "@securewave/foundation";
import { keyedHash } from "@securewave/foundation/derive";
import { hashToken } from "@securewave/foundation/secret";
import type { CookieSessions } from "@securewave/sentinel/sessions";
import type { AccessTokens } from "@securewave/sentinel/tokens";
import type { Kysely } from "kysely";
import { type Bus, EVERYBODY } from "../../bus.ts";
import { boundsOf, type PageRequest, pageOf } from "../../http/paging.ts";
import { type Account, type Accounts, viewOf } from "../accounts/index.ts";
import type { Audit } from "../audit/index.ts";
import type { Lifetime } from "./lifetime.ts";
import type { LogInMethod } from "./log-in.ts";
import { createRefreshTokens, type RefreshToken } from "./refresh-token.ts";
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
  readonly lifetime: Lifetime;
}

/** A browser's log-in that was opened: what goes into its cookie. */
export interface OpenedBrowser {
  readonly sessionId: string;
  readonly account: Account;
  readonly cookieText: string;
  readonly cookieSeconds: number;
}

export type Sessions = ReturnType<typeof createSessions>;

/** Log-ins of one account at once. One more ends the one that would end first. */
const SESSIONS_MAX = 50;
/** Answers get lost and pages refresh side by side: the token before the present one still works for so long. */
const GRACE_MS = 10_000;

export function createSessions(options: SessionsOptions) {
  const { database, clock, bus, accounts, audit, accessTokens, cookies, lifetime } = options;
  const { db } = database;
  const refreshTokens = createRefreshTokens((text) => keyedHash(options.refreshKey, text));
  const rotatedAtMs = new Map<string, number>();
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
  accounts.onErase(async (_, accountId) => () => bus.publish("sessions-changed", accountId));
  accounts.onPasswordSet(async (trx, accountId, exceptId) => {
    await store.deleteSessionsOf(trx, accountId, exceptId);
    await audit.record(trx, { kind: "sessions_ended", actor: accountId, subject: accountId, details: {} });
    return () => bus.publish("sessions-changed", accountId);
  });

  /**
   * One transaction: whoever is logged in stands in the trail.
   *
   * @param formerId the log-in that this one takes the place of
   */
  async function insert(
    account: Account,
    session: Pick<store.SessionRow, "id" | "refresh_hash" | "kind" | "expires_on">,
    method: LogInMethod | "setup",
    formerId?: string,
  ): Promise<void> {
    const account_id = account.id;
    const ended = await database.transaction(async (trx) => {
      const state = await store.lockAccount(trx, account_id);
      if (state === undefined) throw sessionErrors.wrongCredentials(); // erased since it proved itself
      if (state === "suspended") throw sessionErrors.accountSuspended();
      if (formerId !== undefined) await store.deleteSession(trx, formerId);
      const surplus = await store.deleteSurplus(trx, account_id, SESSIONS_MAX - 1, lifetime.validity());
      for (const _ of surplus)
        await audit.record(trx, { kind: "session_ended", actor: "system", subject: account_id, details: {} });
      await store.insertSession(trx, { ...session, account_id, created_on: dayOf(clock.now()) });
      await audit.record(trx, {
        kind: "login_succeeded",
        actor: account_id,
        subject: account_id,
        details: { method },
      });
      return surplus;
    });
    for (const id of formerId === undefined ? ended : [formerId, ...ended])
      bus.publish("sessions-changed", id);
  }

  async function sessionOf(accountId: string, sessionId: string, refreshToken: string): Promise<Session> {
    const account = await accounts.find(accountId);
    if (!account) throw sessionErrors.refreshInvalid(); // erased a moment ago
    if (account.state === "suspended") throw sessionErrors.accountSuspended();
    return grant(account, sessionId, refreshToken);
  }

  function grant(account: Account, sessionId: string, refreshToken: string): Session {
    return {
      access_token: accessTokens.sign({ accountId: account.id, sessionId }),
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
  async function refreshWithOld(token: RefreshToken): Promise<Session> {
    const { sessionId, text } = token;
    const session = await store.findSession(db, sessionId, lifetime.validity());
    if (!session || !token.isOfChain()) throw sessionErrors.refreshInvalid();
    const rotated = rotatedAtMs.get(hashToken(text).toString("hex"));
    const isLatest = session.previous_hash?.equals(hashToken(text)) ?? false;
    if (isLatest && rotated !== undefined && rotated + GRACE_MS > clock.now()) {
      return sessionOf(session.account_id, sessionId, token.next());
    }
    await database.transaction(async (trx) => {
      if (!(await store.deleteSession(trx, sessionId))) return;
      const subject = session.account_id;
      await audit.record(trx, { kind: "refresh_reused", actor: "unknown", subject, details: {} });
    });
    bus.publish("sessions-changed", sessionId);
    throw sessionErrors.refreshReused();
  }

  return {
    /** Opens the log-in of a program for an account that has proved itself. */
    async openProgram(account: Account, method: LogInMethod): Promise<Session> {
      const id = createId("session");
      const refreshToken = refreshTokens.first(id);
      const refresh_hash = hashToken(refreshToken);
      await insert(account, { id, refresh_hash, kind: "program", expires_on: lifetime.firstEnd() }, method);
      return grant(account, id, refreshToken);
    },

    /**
     * Opens the log-in of a browser. Its id is always a fresh one, so nobody can fix it beforehand.
     *
     * @param formerId the log-in that this browser had and that ends with this, whoever's it was
     */
    async openBrowser(
      account: Account,
      method: LogInMethod | "setup",
      formerId?: string,
    ): Promise<OpenedBrowser> {
      const id = createId("session");
      const { text, hash } = cookies.issue(id);
      const expires_on = lifetime.firstEnd();
      await insert(account, { id, refresh_hash: hash, kind: "browser", expires_on }, method, formerId);
      return {
        sessionId: id,
        account,
        cookieText: text,
        cookieSeconds: lifetime.cookieSeconds(expires_on),
      };
    },

    /**
     * Lets a browser's log-in last longer when more than half of its time is over: written that seldom, it
     * tells nobody when it was used.
     *
     * @returns how long its cookie lives, where that must be set anew
     */
    async prolong(sessionId: string): Promise<number | undefined> {
      const days = { ifBefore: lifetime.halfTime(), to: lifetime.prolongedEnd() };
      const endsOn = await store.prolongSession(db, sessionId, days, lifetime.validity());
      if (endsOn === undefined) return undefined;
      bus.publish("sessions-changed", sessionId);
      return lifetime.cookieSeconds(endsOn);
    },

    /** @throws sessions.refresh_invalid, sessions.refresh_reused, sessions.account_suspended */
    async refresh(text: string): Promise<Session> {
      const token = refreshTokens.parse(text);
      if (!token) throw sessionErrors.refreshInvalid();
      const [present, next] = [hashToken(text), token.next()];
      const rotated = await store.rotateSession(
        db,
        token.sessionId,
        present,
        { hash: hashToken(next), to: lifetime.prolongedEnd() },
        lifetime.validity(),
      );
      if (!rotated) return refreshWithOld(token);
      bus.publish("refresh-rotated", present.toString("hex"));
      return sessionOf(rotated.account_id, token.sessionId, next);
    },

    async list(accountId: string, currentId: string, page: PageRequest) {
      const bounds = boundsOf(page, ["text"]);
      const rows = await store.listSessionsOf(db, accountId, lifetime.validity(), bounds);
      const view = ({ id, kind, created_on, expires_on }: store.SessionView): LogIn => ({
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

    /**
     * Ends every log-in of everybody, but the one from which it is asked.
     *
     * @returns how many, and what tells all processes once the transaction has committed
     */
    async endEverybody(trx: Kysely<Tables>, actor: string, exceptId: string) {
      const count = await store.deleteAllSessions(trx, exceptId);
      await audit.record(trx, { kind: "sessions_ended", actor, subject: "service", details: {} });
      return { count, announce: () => bus.publish("sessions-changed", EVERYBODY) };
    },

    async deleteExpired(): Promise<void> {
      await store.deleteExpiredSessions(db, lifetime.validity());
    },
  };
}
