import type { CookieSerializeOptions } from "@fastify/cookie";
import { api, type Session } from "@securewave/contracts";
import type { FastifyReply } from "fastify";
import type { Mount } from "../../http/mount.ts";
import type { Accounts } from "../accounts/index.ts";
import type { OpenedSession, Sessions } from "./service.ts";

const COOKIE = "securewave_refresh";
const DAY_SECONDS = 86_400;

export interface SessionRoutesOptions {
  readonly sessions: Sessions;
  readonly accounts: Accounts;
  readonly refreshDays: number;
  /** Whether the console is reached over https. */
  readonly isSecure: boolean;
}

export function mountSessions(
  mount: Mount,
  { sessions, accounts, refreshDays, isSecure }: SessionRoutesOptions,
): void {
  // Scripts cannot read it, other sites cannot make it be sent, and it goes to these routes alone.
  const cookie: CookieSerializeOptions = {
    path: "/api/auth",
    httpOnly: true,
    sameSite: "strict",
    secure: isSecure,
  };

  function answer(
    reply: FastifyReply,
    opened: OpenedSession,
    delivery: "body" | "cookie" | undefined,
  ): Session {
    if (delivery !== "cookie") return { ...opened.session, refresh_token: opened.refreshToken };
    reply.setCookie(COOKIE, opened.refreshToken, { ...cookie, maxAge: refreshDays * DAY_SECONDS });
    return opened.session;
  }

  mount(api.sessions.logIn, async ({ body, reply }) =>
    answer(reply, await sessions.logIn(body.email, body.password), body.delivery),
  );
  mount(api.sessions.refresh, async ({ body, request, reply }) => {
    const fromCookie = request.cookies[COOKIE];
    const token = body.refresh_token ?? fromCookie;
    return answer(reply, await sessions.refresh(token), body.refresh_token === undefined ? "cookie" : "body");
  });
  mount(api.sessions.logOut, async ({ caller, reply }) => {
    await sessions.end(caller.sessionId);
    reply.clearCookie(COOKIE, cookie);
    return null;
  });
  mount(api.sessions.logOutEverywhere, async ({ caller, reply }) => {
    await sessions.endAll(caller.accountId);
    reply.clearCookie(COOKIE, cookie);
    return null;
  });
  mount(api.service.setUp, async ({ body, reply }) => {
    const account = await accounts.setUp(body.token, body.email, body.password);
    return answer(reply, await sessions.open(account.id), "cookie");
  });
}
