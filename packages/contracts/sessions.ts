import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { Account, accountErrors } from "./accounts.ts";
import { defineRoute } from "./route.ts";
import { Day, Email, Id, IdParams, Nothing, Nullable, OneOf, pagesOf, Strict } from "./schemas.ts";
import { sentinelErrors } from "./sentinel.ts";

export const sessionErrors = defineErrors("sessions", {
  wrongCredentials: { status: 401, message: "Mail address or password is wrong." },
  secondFactorNeeded: {
    status: 401,
    message: "Enter the code of your authenticator app too, or one of your recovery codes.",
  },
  wrongCode: { status: 401, message: "This code is wrong, was used already or has ended." },
  locked: { status: 429, message: "Too many log-ins failed. Wait a while before the next." },
  emailUnverified: {
    status: 403,
    message: "Confirm your mail address first: open the link that we sent to it.",
  },
  accountSuspended: { status: 403, message: "This account is suspended. Please contact support." },
  refreshInvalid: { status: 401, message: "This log-in has ended. Log in again." },
  refreshReused: {
    status: 401,
    message: "This refresh token was used before, so the log-in was ended for safety. Log in again.",
  },
  notFound: { status: 404, message: "There is no such log-in." },
});

export const Password = Type.String({ minLength: 1, maxLength: 256 });

/** A code of an authenticator app (RFC 6238), or a recovery code. */
export const Code = Type.String({
  minLength: 6,
  maxLength: 20,
  pattern: "^[0-9A-Za-z -]+$",
  description: "Code of the authenticator app, or a recovery code",
});

export const Credentials = {
  email: Email,
  password: Password,
  code: Type.Optional(Code),
};

/** What every way in refuses with. */
export const logInErrors = [
  sessionErrors.wrongCredentials,
  sessionErrors.secondFactorNeeded,
  sessionErrors.wrongCode,
  sessionErrors.locked,
  sessionErrors.emailUnverified,
  sessionErrors.accountSuspended,
  sentinelErrors.challengeRequired,
  sentinelErrors.challengeFailed,
] as const;

/** A log-in of a program, which keeps its tokens itself. */
export const Session = Strict({
  access_token: Type.String({ description: "JWT for the Authorization header: `Bearer …`" }),
  token_type: OneOf(["Bearer"]),
  expires_in: Type.Integer({ description: "Seconds until the access token ends" }),
  refresh_token: Type.String({ description: "For one use" }),
  account: Account,
});
export type Session = Static<typeof Session>;

/** A log-in of a browser: the session is in a cookie that no script can read. */
export const BrowserSession = Strict({
  account: Account,
  csrf_token: Type.String({
    description: "To be sent as X-CSRF-Token with everything that changes something",
  }),
});
export type BrowserSession = Static<typeof BrowserSession>;

/** One log-in, as its owner sees it. Nothing is kept that would tell from where or when it was used. */
export const LogIn = Strict({
  id: Id("session"),
  kind: OneOf(["browser", "program"]),
  is_current: Type.Boolean(),
  created_on: Day,
  expires_on: Day,
});
export type LogIn = Static<typeof LogIn>;

/** What `navigator.credentials` answers with, as JSON. @see https://www.w3.org/TR/webauthn-3/#sctn-parseCreationOptionsFromJSON */
export const PasskeyResponse = Type.Unsafe<Readonly<Record<string, unknown>>>(
  Type.Object({ id: Type.String({ maxLength: 2000 }) }, { additionalProperties: true }),
);
/** What `navigator.credentials` is given, as JSON. */
export const PasskeyOptions = Type.Unsafe<Readonly<Record<string, unknown>>>(
  Type.Object({}, { additionalProperties: true }),
);

/** How browsers log in: by cookie, protected against requests forged by other sites. */
export const session = {
  open: defineRoute({
    method: "POST",
    path: "/api/session",
    access: "anyone",
    limit: "sensitive",
    challenge: "login",
    tag: "sessions",
    summary: "Logs a browser in",
    body: Strict(Credentials),
    success: { status: 200, schema: BrowserSession },
    errors: [...logInErrors, sentinelErrors.forgedRequest],
  }),
  show: defineRoute({
    method: "GET",
    path: "/api/session",
    access: "anyone",
    tag: "sessions",
    summary: "Shows who is logged in by the cookie, if anybody",
    success: { status: 200, schema: Strict({ session: Nullable(BrowserSession) }) },
    errors: [],
  }),
  close: defineRoute({
    method: "DELETE",
    path: "/api/session",
    access: "account",
    tag: "sessions",
    summary: "Logs this browser out at once",
    success: { status: 204, schema: Nothing },
    errors: [],
  }),
  passkeyOptions: defineRoute({
    method: "POST",
    path: "/api/session/passkey/options",
    access: "anyone",
    tag: "passkeys",
    summary: "Makes the challenge that a passkey signs to log in",
    success: { status: 200, schema: PasskeyOptions },
    errors: [],
  }),
  openWithPasskey: defineRoute({
    method: "POST",
    path: "/api/session/passkey",
    access: "anyone",
    limit: "sensitive",
    challenge: "login",
    tag: "passkeys",
    summary: "Logs a browser in by a passkey, which stands for password and second factor",
    body: Strict({ response: PasskeyResponse }),
    success: { status: 200, schema: BrowserSession },
    errors: [...logInErrors, sentinelErrors.forgedRequest],
  }),
};

export const sessions = {
  logIn: defineRoute({
    method: "POST",
    path: "/api/auth/login",
    access: "anyone",
    limit: "sensitive",
    challenge: "login",
    tag: "sessions",
    summary: "Logs a program in",
    body: Strict(Credentials),
    success: { status: 200, schema: Session },
    errors: logInErrors,
  }),
  refresh: defineRoute({
    method: "POST",
    path: "/api/auth/refresh",
    access: "anyone",
    tag: "sessions",
    summary: "Exchanges a refresh token for a fresh pair; using an old one again ends the log-in",
    body: Strict({ refresh_token: Type.String({ minLength: 1, maxLength: 200 }) }),
    success: { status: 200, schema: Session },
    errors: [sessionErrors.refreshInvalid, sessionErrors.refreshReused, sessionErrors.accountSuspended],
  }),
  logOut: defineRoute({
    method: "POST",
    path: "/api/auth/logout",
    access: "account",
    tag: "sessions",
    summary: "Ends this log-in at once",
    success: { status: 204, schema: Nothing },
    errors: [],
  }),
  logOutEverywhere: defineRoute({
    method: "POST",
    path: "/api/auth/logout-everywhere",
    access: "account",
    tag: "sessions",
    summary: "Ends every log-in of this account at once, this one too",
    success: { status: 204, schema: Nothing },
    errors: [],
  }),
  list: defineRoute({
    method: "GET",
    path: "/api/account/sessions",
    access: "account",
    tag: "sessions",
    summary: "Lists one's own log-ins",
    ...pagesOf(LogIn, {}),
    errors: [],
  }),
  end: defineRoute({
    method: "DELETE",
    path: "/api/account/sessions/{id}",
    access: "account",
    tag: "sessions",
    summary: "Ends one of one's own log-ins at once",
    params: IdParams("session"),
    success: { status: 204, schema: Nothing },
    errors: [sessionErrors.notFound],
  }),
  endAllOf: defineRoute({
    method: "DELETE",
    path: "/api/admin/accounts/{id}/sessions",
    access: "admin",
    tag: "accounts",
    summary: "Ends every log-in of an account at once",
    params: IdParams("account"),
    success: { status: 204, schema: Nothing },
    errors: [accountErrors.notFound],
  }),
};
