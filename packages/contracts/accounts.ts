import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { defineRoute } from "./route.ts";
import { Day, Email, Id, IdParams, NewPassword, OneOf, pagesOf, SearchQuery, Strict } from "./schemas.ts";
import { sentinelErrors } from "./sentinel.ts";

export const accountErrors = defineErrors("accounts", {
  weakPassword: {
    status: 422,
    message: "This password is too easy to guess. Take a longer or less common one.",
  },
  registrationClosed: { status: 403, message: "Registration is closed. Ask the operator for an account." },
  wrongPassword: { status: 403, message: "The password is wrong." },
  linkInvalid: { status: 403, message: "This link is not valid any more. Ask for a new one." },
  emailInUse: { status: 409, message: "An account with this mail address exists already." },
  notFound: { status: 404, message: "There is no such account." },
  lastAdmin: { status: 409, message: "This is the last active admin. Make somebody else admin first." },
});

export const Role = OneOf(["customer", "support", "admin"]);
export type Role = Static<typeof Role>;

export const Account = Strict({
  id: Id("account"),
  email: Email,
  role: Role,
  state: OneOf(["unverified", "active", "suspended"]),
  created_on: Day,
});
export type Account = Static<typeof Account>;

export const MailSent = Strict({ status: OneOf(["mail_sent"]) });

export const accounts = {
  register: defineRoute({
    method: "POST",
    path: "/api/auth/register",
    access: "anyone",
    limit: "sensitive",
    challenge: "register",
    tag: "accounts",
    summary: "Registers; a mail tells the rest, also when the address has an account already",
    body: Strict({
      email: Email,
      password: NewPassword,
      website: Type.Optional(
        Type.String({ maxLength: 200, description: "People never see this field; leave it out" }),
      ),
      policy_version: Type.Optional(
        Type.String({
          pattern: "^[A-Za-z0-9.-]{1,40}$",
          description: "Of the privacy policy that is agreed to; noted where it is the present one",
        }),
      ),
    }),
    success: { status: 202, schema: MailSent },
    errors: [
      accountErrors.weakPassword,
      accountErrors.registrationClosed,
      sentinelErrors.challengeRequired,
      sentinelErrors.challengeFailed,
    ],
  }),
  requestVerification: defineRoute({
    method: "POST",
    path: "/api/auth/verification",
    access: "anyone",
    limit: "sensitive",
    tag: "accounts",
    summary: "Sends the confirmation mail once more",
    body: Strict({ email: Email }),
    success: { status: 202, schema: MailSent },
    errors: [],
  }),
  verifyEmail: defineRoute({
    method: "POST",
    path: "/api/auth/verify",
    access: "anyone",
    limit: "sensitive",
    tag: "accounts",
    summary: "Confirms a mail address with the token from the mail",
    body: Strict({ token: Type.String({ minLength: 1, maxLength: 100 }) }),
    success: { status: 200, schema: Strict({ email: Email }) },
    errors: [accountErrors.linkInvalid],
  }),
  me: defineRoute({
    method: "GET",
    path: "/api/account",
    access: "account",
    scope: "account:read",
    tag: "accounts",
    summary: "Shows one's own account",
    success: { status: 200, schema: Account },
    errors: [],
  }),
  list: defineRoute({
    method: "GET",
    path: "/api/admin/accounts",
    access: "staff",
    scope: "accounts:read",
    tag: "accounts",
    summary: "Lists accounts; searched by a whole mail address, or by an id",
    ...pagesOf(Account, SearchQuery),
    errors: [],
  }),
  create: defineRoute({
    method: "POST",
    path: "/api/admin/accounts",
    access: "admin",
    scope: "accounts:write", // for customers: a role of the staff takes a log-in
    tag: "accounts",
    summary: "Creates an account whose mail address counts as confirmed",
    body: Strict({ email: Email, password: NewPassword, role: Type.Optional(Role) }),
    success: { status: 201, schema: Account },
    errors: [accountErrors.emailInUse, accountErrors.weakPassword],
  }),
  show: defineRoute({
    method: "GET",
    path: "/api/admin/accounts/{id}",
    access: "staff",
    scope: "accounts:read",
    tag: "accounts",
    summary: "Shows an account",
    params: IdParams("account"),
    success: { status: 200, schema: Account },
    errors: [accountErrors.notFound],
  }),
  change: defineRoute({
    method: "PATCH",
    path: "/api/admin/accounts/{id}",
    access: "admin",
    scope: "accounts:write",
    tag: "accounts",
    summary: "Changes role or state; suspending ends every log-in and takes the devices off their nodes",
    params: IdParams("account"),
    body: Strict(
      { role: Type.Optional(Role), state: Type.Optional(OneOf(["active", "suspended"])) },
      { minProperties: 1 },
    ),
    success: { status: 200, schema: Account },
    errors: [accountErrors.notFound, accountErrors.lastAdmin],
  }),
};
