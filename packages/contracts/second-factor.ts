import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { accountErrors } from "./accounts.ts";
import { Proof, proofErrors } from "./proof.ts";
import { defineRoute } from "./route.ts";
import { Day, HumanText, Id, IdParams, Nothing, Nullable, Strict } from "./schemas.ts";
import { Code, PasskeyOptions, PasskeyResponse, Password, sessionErrors } from "./sessions.ts";

export const secondFactorErrors = defineErrors("second_factor", {
  enabledAlready: { status: 409, message: "An authenticator app is set up already. Switch it off first." },
  notEnabled: { status: 409, message: "No authenticator app is set up." },
  notBegun: { status: 409, message: "Begin the set-up anew: it was not begun, or has ended." },
});

export const passkeyErrors = defineErrors("passkeys", {
  notFound: { status: 404, message: "There is no such passkey." },
  refused: { status: 422, message: "This passkey could not be checked. Try again." },
  known: { status: 409, message: "This passkey is registered already." },
  tooMany: { status: 409, message: "There are as many passkeys as an account may have. Remove one first." },
});

export const SecondFactor = Strict({
  is_enabled: Type.Boolean(),
  enabled_on: Nullable(Day),
  recovery_codes_left: Type.Integer(),
});
export type SecondFactor = Static<typeof SecondFactor>;

const RecoveryCodes = Strict({
  recovery_codes: Type.Array(Type.String(), { description: "Shown once; each works once" }),
});

/** Codes of an authenticator app. @see https://www.rfc-editor.org/rfc/rfc6238 */
export const secondFactor = {
  show: defineRoute({
    method: "GET",
    path: "/api/account/second-factor",
    access: "account",
    tag: "second factor",
    summary: "Shows whether a second factor is on",
    success: { status: 200, schema: SecondFactor },
    errors: [],
  }),
  begin: defineRoute({
    method: "POST",
    path: "/api/account/second-factor",
    access: "account",
    limit: "sensitive",
    tag: "second factor",
    summary: "Begins the set-up of an authenticator app; nothing changes before it is confirmed",
    body: Strict({ password: Password }),
    success: {
      status: 200,
      schema: Strict({
        secret: Type.String({ description: "In base 32, to be typed where a QR code cannot be scanned" }),
        url: Type.String({ description: "otpauth:// URL for the QR code" }),
        qr_svg: Type.String(),
      }),
    },
    errors: [accountErrors.wrongPassword, secondFactorErrors.enabledAlready, sessionErrors.locked],
  }),
  confirm: defineRoute({
    method: "POST",
    path: "/api/account/second-factor/confirm",
    access: "account",
    limit: "sensitive",
    tag: "second factor",
    summary: "Switches the second factor on by a first code, and answers with recovery codes",
    body: Strict({ code: Code }),
    success: { status: 200, schema: RecoveryCodes },
    errors: [
      sessionErrors.wrongCode,
      sessionErrors.locked,
      secondFactorErrors.enabledAlready,
      secondFactorErrors.notBegun,
    ],
  }),
  disable: defineRoute({
    method: "POST",
    path: "/api/account/second-factor/disable",
    access: "account",
    limit: "sensitive",
    tag: "second factor",
    summary: "Switches the second factor off",
    body: Strict(Proof),
    success: { status: 204, schema: Nothing },
    errors: [...proofErrors, secondFactorErrors.notEnabled],
  }),
  renewRecoveryCodes: defineRoute({
    method: "POST",
    path: "/api/account/second-factor/recovery-codes",
    access: "account",
    limit: "sensitive",
    tag: "second factor",
    summary: "Makes new recovery codes; the old ones end",
    body: Strict(Proof),
    success: { status: 200, schema: RecoveryCodes },
    errors: [...proofErrors, secondFactorErrors.notEnabled],
  }),
  resetOf: defineRoute({
    method: "DELETE",
    path: "/api/admin/accounts/{id}/second-factor",
    access: "admin",
    tag: "accounts",
    summary:
      "Takes the second factor and all passkeys off an account whose owner lost them; ends its log-ins",
    params: IdParams("account"),
    success: { status: 204, schema: Nothing },
    errors: [accountErrors.notFound],
  }),
};

export const Passkey = Strict({
  id: Id("passkey"),
  name: HumanText(60),
  is_synced: Type.Boolean({ description: "Whether it is kept in an account of its maker, such as iCloud" }),
  created_on: Day,
});
export type Passkey = Static<typeof Passkey>;

/** @see https://www.w3.org/TR/webauthn-3/ */
export const passkeys = {
  list: defineRoute({
    method: "GET",
    path: "/api/account/passkeys",
    access: "account",
    tag: "passkeys",
    summary: "Lists one's own passkeys, twenty at most",
    success: { status: 200, schema: Strict({ items: Type.Array(Passkey) }) },
    errors: [],
  }),
  begin: defineRoute({
    method: "POST",
    path: "/api/account/passkey-options",
    access: "account",
    limit: "sensitive",
    tag: "passkeys",
    summary: "Makes the challenge by which a new passkey is registered",
    body: Strict(Proof),
    success: { status: 200, schema: PasskeyOptions },
    errors: [...proofErrors, passkeyErrors.tooMany],
  }),
  add: defineRoute({
    method: "POST",
    path: "/api/account/passkeys",
    access: "account",
    limit: "sensitive",
    tag: "passkeys",
    summary: "Registers a passkey",
    body: Strict({ name: HumanText(60), response: PasskeyResponse }),
    success: { status: 201, schema: Passkey },
    errors: [passkeyErrors.refused, passkeyErrors.known, passkeyErrors.tooMany],
  }),
  rename: defineRoute({
    method: "PATCH",
    path: "/api/account/passkeys/{id}",
    access: "account",
    tag: "passkeys",
    summary: "Renames a passkey",
    params: IdParams("passkey"),
    body: Strict({ name: HumanText(60) }),
    success: { status: 200, schema: Passkey },
    errors: [passkeyErrors.notFound],
  }),
  remove: defineRoute({
    method: "POST",
    path: "/api/account/passkeys/{id}/remove",
    access: "account",
    limit: "sensitive",
    tag: "passkeys",
    summary: "Removes a passkey; it logs nobody in any more",
    params: IdParams("passkey"),
    body: Strict(Proof),
    success: { status: 204, schema: Nothing },
    errors: [...proofErrors, passkeyErrors.notFound],
  }),
};
