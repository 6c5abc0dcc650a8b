import { Type } from "typebox";
import { accountErrors, MailSent } from "./accounts.ts";
import { proofErrors } from "./proof.ts";
import { defineRoute } from "./route.ts";
import { Email, NewPassword, Nothing, Strict } from "./schemas.ts";
import { sentinelErrors } from "./sentinel.ts";
import { Code, Password, sessionErrors } from "./sessions.ts";

const Token = Type.String({ minLength: 1, maxLength: 100 });

export const passwords = {
  requestReset: defineRoute({
    method: "POST",
    path: "/api/auth/password/reset-request",
    access: "anyone",
    limit: "sensitive",
    challenge: "password-reset",
    tag: "passwords",
    summary: "Sends a link by which a forgotten password is replaced, if the address has an account",
    body: Strict({ email: Email }),
    success: { status: 202, schema: MailSent },
    errors: [sentinelErrors.challengeRequired, sentinelErrors.challengeFailed],
  }),
  checkReset: defineRoute({
    method: "POST",
    path: "/api/auth/password/check",
    access: "anyone",
    limit: "sensitive",
    tag: "passwords",
    summary: "Tells whether a link still works, and whether a second factor is needed with it",
    body: Strict({ token: Token }),
    success: { status: 200, schema: Strict({ email: Email, needs_code: Type.Boolean() }) },
    errors: [accountErrors.linkInvalid],
  }),
  reset: defineRoute({
    method: "POST",
    path: "/api/auth/password/reset",
    access: "anyone",
    limit: "sensitive",
    tag: "passwords",
    summary: "Sets a new password by the token from the mail; ends every log-in",
    body: Strict({ token: Token, password: NewPassword, code: Type.Optional(Code) }),
    success: { status: 204, schema: Nothing },
    errors: [
      accountErrors.linkInvalid,
      accountErrors.weakPassword,
      sessionErrors.secondFactorNeeded,
      sessionErrors.wrongCode,
      sessionErrors.locked,
    ],
  }),
  change: defineRoute({
    method: "POST",
    path: "/api/account/password",
    access: "account",
    limit: "sensitive",
    tag: "passwords",
    summary: "Changes one's own password; ends every other log-in",
    body: Strict({ current_password: Password, password: NewPassword, code: Type.Optional(Code) }),
    success: { status: 204, schema: Nothing },
    errors: [...proofErrors, accountErrors.weakPassword],
  }),
};
