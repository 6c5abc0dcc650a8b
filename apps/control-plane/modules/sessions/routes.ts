import { api, type BrowserSession } from "@securewave/contracts";
import type { Csrf } from "@securewave/sentinel/csrf";
import { type CookieSessions, readCookie } from "@securewave/sentinel/sessions";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Identify } from "../../http/caller.ts";
import type { Mount } from "../../http/mount.ts";
import type { Telemetry } from "../../http/telemetry.ts";
import { type Account, type Accounts, viewOf } from "../accounts/index.ts";
import type { Passkeys } from "../passkeys/index.ts";
import type { BrowserHolder } from "./identify.ts";
import type { createLogIn, LogInMethod } from "./log-in.ts";
import type { Sessions } from "./service.ts";

export interface SessionRoutesOptions {
  readonly sessions: Sessions;
  readonly logIn: ReturnType<typeof createLogIn>;
  readonly accounts: Accounts;
  readonly passkeys: Passkeys;
  readonly csrf: Csrf;
  readonly identify: Identify;
  readonly telemetry: Telemetry;
  readonly cookies: CookieSessions<BrowserHolder>;
  /** @throws request.maintenance while those of a role are not let in */
  readonly demandLogIn: (role: Account["role"]) => Promise<void>;
}

export function mountSessions(mount: Mount, options: SessionRoutesOptions): void {
  const { sessions, logIn, accounts, passkeys, csrf, identify, cookies, telemetry, demandLogIn } = options;
  const setCookie = (reply: FastifyReply, text: string, lifeSeconds: number) =>
    reply.header("set-cookie", cookies.setCookie(text, lifeSeconds));

  /** Opens a log-in in place of the one that this browser has. To be called once the new one is proved. */
  async function openBrowser(
    request: FastifyRequest,
    reply: FastifyReply,
    account: Account,
    method: LogInMethod | "setup",
  ): Promise<BrowserSession> {
    const former = await cookies.verify(request.headers.cookie);
    const opened = await sessions.openBrowser(account, method, former?.sessionId);
    setCookie(reply, opened.cookieText, opened.cookieSeconds);
    return { account: viewOf(account), csrf_token: csrf.tokenFor(opened.sessionId) };
  }

  mount(api.session.open, async ({ body, request, reply }) => {
    csrf.checkOrigin(request);
    const { account, method } = await logIn.prove(body, request.origin.tag);
    await demandLogIn(account.role);
    return openBrowser(request, reply, account, method);
  });
  mount(api.session.show, async ({ request, reply }) => {
    const caller = await identify(request);
    if (!caller || caller.apiKey) return { session: null };
    const text = readCookie(request.headers.cookie ?? "", cookies.cookieName);
    const lifeSeconds = text === undefined ? undefined : await sessions.prolong(caller.credentialId);
    if (text !== undefined && lifeSeconds !== undefined) setCookie(reply, text, lifeSeconds);
    const account = await accounts.find(caller.accountId);
    if (!account) return { session: null };
    return { session: { account: viewOf(account), csrf_token: csrf.tokenFor(caller.credentialId) } };
  });
  mount(api.session.close, async ({ caller, reply }) => {
    await sessions.end(caller.credentialId);
    reply.header("set-cookie", cookies.clearCookie());
    return null;
  });
  mount(api.session.passkeyOptions, () => passkeys.createLogInOptions());
  mount(api.session.openWithPasskey, async ({ body, request, reply }) => {
    csrf.checkOrigin(request);
    const account = await passkeys.logIn(body.response, request.origin.tag).catch((error: unknown) => {
      telemetry.countAuthAttempt("passkey", "failure");
      throw error;
    });
    telemetry.countAuthAttempt("passkey", "success");
    await demandLogIn(account.role);
    return openBrowser(request, reply, account, "passkey");
  });
  mount(api.service.setUp, async ({ body, request, reply }) => {
    csrf.checkOrigin(request);
    return openBrowser(request, reply, await accounts.setUp(body.token, body.email, body.password), "setup");
  });

  mount(api.sessions.logIn, async ({ body, request }) => {
    const { account, method } = await logIn.prove(body, request.origin.tag);
    await demandLogIn(account.role);
    return sessions.openProgram(account, method);
  });
  mount(api.sessions.refresh, async ({ body }) => {
    const session = await sessions.refresh(body.refresh_token).catch((error: unknown) => {
      telemetry.countAuthAttempt("refresh", "failure");
      throw error;
    });
    telemetry.countAuthAttempt("refresh", "success");
    return session;
  });
  mount(api.sessions.logOut, async ({ caller, reply }) => {
    await sessions.end(caller.credentialId);
    reply.header("set-cookie", cookies.clearCookie());
    return null;
  });
  mount(api.sessions.logOutEverywhere, async ({ caller, reply }) => {
    await sessions.endAll(caller.accountId);
    reply.header("set-cookie", cookies.clearCookie());
    return null;
  });
  mount(api.sessions.list, ({ caller, query }) =>
    sessions.list(caller.accountId, caller.credentialId, query),
  );
  mount(api.sessions.end, async ({ caller, params }) => {
    await sessions.endOne(caller.accountId, params.id);
    return null;
  });
  mount(api.sessions.endAllOf, async ({ caller, params }) => {
    await accounts.get(params.id);
    await sessions.endAll(params.id, { actor: caller.accountId });
    return null;
  });
}
