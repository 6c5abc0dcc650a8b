import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { Account } from "./accounts.ts";
import { defineRoute } from "./route.ts";
import { Email, Nothing, OneOf, Strict } from "./schemas.ts";

export const sessionErrors = defineErrors("sessions", {
  wrongCredentials: { status: 401, message: "Mail address or password is wrong." },
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
});

const Password = Type.String({ minLength: 1, maxLength: 256 });

/** Where the refresh token goes: into the answer, or into a cookie that scripts cannot read. */
const Delivery = Type.Optional(OneOf(["body", "cookie"], { default: "body" }));

export const Session = Strict({
  access_token: Type.String({ description: "JWT for the Authorization header: `Bearer …`" }),
  token_type: OneOf(["Bearer"]),
  expires_in: Type.Integer({ description: "Seconds until the access token ends" }),
  refresh_token: Type.Optional(
    Type.String({ description: "For one use; absent when it was put into a cookie" }),
  ),
  account: Account,
});
export type Session = Static<typeof Session>;

const RefreshToken = Type.Optional(Type.String({ minLength: 1, maxLength: 200 }));

export const sessions = {
  logIn: defineRoute({
    method: "POST",
    path: "/api/auth/login",
    access: "anyone",
    tag: "sessions",
    summary: "Logs in",
    body: Strict({ email: Email, password: Password, delivery: Delivery }),
    success: { status: 200, schema: Session },
    errors: [sessionErrors.wrongCredentials, sessionErrors.emailUnverified, sessionErrors.accountSuspended],
  }),
  refresh: defineRoute({
    method: "POST",
    path: "/api/auth/refresh",
    access: "anyone",
    tag: "sessions",
    summary: "Exchanges a refresh token for a fresh pair; using an old one again ends the log-in",
    body: Strict({ refresh_token: RefreshToken }),
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
};
