import type { Role } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, DAY_MS } from "@securewave/foundation";
import type { Csrf } from "@securewave/sentinel/csrf";
import { type CookieSessions, createCookieSessions } from "@securewave/sentinel/sessions";
import type { AccessTokens } from "@securewave/sentinel/tokens";
import type { FastifyRequest } from "fastify";
import { type Bus, EVERYBODY } from "../../bus.ts";
import type { Caller, Identify } from "../../http/caller.ts";
import type { Telemetry } from "../../http/telemetry.ts";
import { createHolderCache } from "./holder-cache.ts";
import type { Lifetime } from "./lifetime.ts";
import * as store from "./store.ts";

export interface IdentifyOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly lifetime: Lifetime;
  readonly telemetry: Telemetry;
  readonly accessTokens: AccessTokens;
  readonly csrf: Csrf;
  /** Looks an API key up: a text that begins with `swk_`. */
  readonly identifyApiKey: (text: string) => Caller | undefined | Promise<Caller | undefined>;
  /** Whether the pages are reached over https. */
  readonly isSecure: boolean;
}

/** Who a browser's session belongs to. */
export interface BrowserHolder {
  readonly accountId: string;
  readonly role: Role;
  readonly sessionId: string;
  readonly expiresOn: string;
}

export const COOKIE_NAME = "securewave_session";
const BEARER = "Bearer ";
const API_KEY = "swk_";

/** Finds out who calls: by access token, by API key, or by a browser's cookie. */
export function createIdentify(options: IdentifyOptions): {
  identify: Identify;
  cookies: CookieSessions<BrowserHolder>;
} {
  const { database, clock, bus, lifetime, telemetry, accessTokens, csrf, identifyApiKey, isSecure } = options;
  const { db } = database;

  const holderOf = createHolderCache(
    bus,
    clock,
    (sessionId) => store.findHolder(db, sessionId, "program", lifetime.validity()),
    telemetry.observeSessionLookup,
  );
  const cookies = createCookieSessions<BrowserHolder>({
    cookieName: COOKIE_NAME,
    isSecure,
    clock,
    observe: telemetry.observeSessionLookup,
    async find(sessionId) {
      const row = await store.findHolder(db, sessionId, "browser", lifetime.validity());
      if (!row) return undefined;
      const { accountId, role, expiresOn, hash } = row;
      const untilMs = Date.parse(`${expiresOn}T00:00:00Z`) + DAY_MS;
      return { holder: { accountId, role, sessionId, expiresOn }, accepted: [{ hash, untilMs }] };
    },
  });
  bus.subscribe(
    "sessions-changed",
    (changed) =>
      cookies.forget(
        ({ accountId, sessionId }) => changed === EVERYBODY || accountId === changed || sessionId === changed,
      ),
    () => cookies.forget(() => true),
  );

  async function byToken(token: string): Promise<Caller | undefined> {
    const claims = accessTokens.verify(token);
    const holder = claims && (await holderOf(claims.sessionId));
    if (!claims || holder?.accountId !== claims.accountId) return undefined;
    return {
      accountId: holder.accountId,
      role: holder.role,
      credentialId: claims.sessionId,
      apiKey: undefined,
    };
  }

  function byCookie(request: FastifyRequest, holder: BrowserHolder | undefined): Caller | undefined {
    if (!holder) return undefined;
    const { accountId, role, sessionId } = holder;
    csrf.check(request, sessionId);
    return { accountId, role, credentialId: sessionId, apiKey: undefined };
  }

  return {
    cookies,
    identify(request) {
      const { authorization, cookie } = request.headers;
      // A header that says who calls is meant; the cookie comes along by itself.
      if (authorization !== undefined) {
        if (!authorization.startsWith(BEARER)) return undefined;
        const credential = authorization.slice(BEARER.length);
        return credential.startsWith(API_KEY) ? identifyApiKey(credential) : byToken(credential);
      }
      if (cookie === undefined) return undefined;
      const holder = cookies.verify(cookie);
      return holder instanceof Promise
        ? holder.then((found) => byCookie(request, found))
        : byCookie(request, holder);
    },
  };
}
