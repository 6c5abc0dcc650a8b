import { idPattern, invariant } from "@securewave/foundation";
import { createToken, hashToken } from "@securewave/foundation/secret";
import type { CredentialVerifierOptions, StoredCredential } from "../credentials/index.ts";
import { createCredentialVerifier } from "../credentials/index.ts";
import { readCookie } from "./cookie.ts";

export type StoredSession<Holder> = StoredCredential<Holder>;

export interface CookieSessionsOptions<Holder> extends CredentialVerifierOptions<Holder> {
  /** Without `__Host-`, which is put before it where browsers allow it. */
  readonly cookieName: string;
  /** Whether the pages are reached over https. */
  readonly isSecure: boolean;
}

export interface NewCookieSession {
  /** Goes into the cookie and is kept nowhere: `swc_<session id>_<secret>`. */
  readonly text: string;
  /** What the store keeps; 32 bytes. */
  readonly hash: Buffer;
}

/** Sessions of browsers: a cookie that no script can read and no other site can make be sent. */
export interface CookieSessions<Holder = unknown> {
  /** The cookie's whole name. */
  readonly cookieName: string;
  /** @param sessionId a fresh `ses_…`: one that was known before the log-in could have been planted */
  issue(sessionId: string): NewCookieSession;
  /**
   * @param cookieHeader the whole `Cookie` header
   * @returns at once what memory knows, else a promise; rejects when the store does
   */
  verify(cookieHeader: string | undefined): Holder | undefined | Promise<Holder | undefined>;
  /** The value of a `Set-Cookie` header that hands a session to the browser. */
  setCookie(text: string, lifeSeconds: number): string;
  /** The value of a `Set-Cookie` header that takes it away. */
  clearCookie(): string;
  /** To be called when a session ends or its account changes; takes effect at once. */
  forget(idOrPredicate: string | ((holder: Holder) => boolean)): void;
}

const PREFIX = "swc";
const SESSION_ID = idPattern("session").slice(1, -1);
const PATTERN = new RegExp(`^${PREFIX}_(${SESSION_ID})_[A-Za-z0-9_-]{43}$`);
/** The characters of a token. @see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 */
const COOKIE_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/;

export function createCookieSessions<Holder>({
  cookieName,
  isSecure,
  ...options
}: CookieSessionsOptions<Holder>): CookieSessions<Holder> {
  invariant(COOKIE_NAME.test(cookieName), "a cookie's name is a token of HTTP");
  const credentials = createCredentialVerifier(options);
  // Browsers take a `__Host-` cookie from this very host over https alone, so no sibling host can plant one.
  const name = isSecure ? `__Host-${cookieName}` : cookieName;
  const attributes = `Path=/; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`;

  return {
    cookieName: name,
    issue(sessionId) {
      const text = createToken(`${PREFIX}_${sessionId}`);
      invariant(PATTERN.test(text), "a session's id shows its kind");
      return { text, hash: hashToken(text) };
    },
    verify(cookieHeader) {
      const text = cookieHeader === undefined ? undefined : readCookie(cookieHeader, name);
      const sessionId = text === undefined ? undefined : PATTERN.exec(text)?.[1];
      if (text === undefined || sessionId === undefined) return undefined;
      return credentials.verify(sessionId, hashToken(text));
    },
    setCookie(text, lifeSeconds) {
      invariant(PATTERN.test(text), "a cookie holds the text of a session");
      invariant(Number.isSafeInteger(lifeSeconds) && lifeSeconds > 0, "a cookie lives for whole seconds");
      return `${name}=${text}; ${attributes}; Max-Age=${lifeSeconds}`;
    },
    clearCookie: () => `${name}=; ${attributes}; Max-Age=0`,
    forget: credentials.forget,
  };
}
