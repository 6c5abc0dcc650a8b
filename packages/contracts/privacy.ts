import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { accountErrors } from "./accounts.ts";
import { Proof, proofErrors } from "./proof.ts";
import { defineRoute } from "./route.ts";
import { Day, HumanText, Id, IdParams, Nothing, Nullable, OneOf, pagesOf, Strict } from "./schemas.ts";

export const privacyErrors = defineErrors("privacy", {
  noDeletion: { status: 404, message: "There is no deletion to take back." },
  requestNotFound: { status: 404, message: "There is no such request." },
  requestClosed: { status: 409, message: "This request is closed already." },
  tooManyRequests: { status: 409, message: "Too many of your requests are open. Wait for an answer to one." },
  textChanged: { status: 409, message: "The text has changed since. Read it again." },
});

/** The wording that `privacy` answers with; a consent names the one that was shown. */
export const USAGE_HISTORY_TEXT = {
  version: "2026-11-21",
  text: "Keep how much I use each day, in whole MiB, so that I can look at it. It is sealed with a key of its own; when I switch this off, that key is destroyed, and nobody can read it any more, in no backup either.",
} as const;

export const Deletion = Strict({
  asked_on: Day,
  due_on: Day,
});
export type Deletion = Static<typeof Deletion>;

export const PrivacyState = Strict({
  policy: Strict({
    version: Type.String({ description: "Of the privacy policy that holds today" }),
    agreed_version: Nullable(Type.String({ description: "The last one that was agreed to" })),
    agreed_on: Nullable(Day),
  }),
  usage_history: Strict({
    is_on: Type.Boolean(),
    since: Nullable(Day),
    text_version: Type.String({ description: "Of the text below" }),
    text: Type.String({ description: "What switching it on agrees to" }),
  }),
  deletion: Nullable(Deletion),
  deletion_grace_days: Type.Integer({ minimum: 0 }),
});
export type PrivacyState = Static<typeof PrivacyState>;

export const RequestKind = OneOf(["export", "deletion", "other"]);
export const PrivacyRequest = Strict({
  id: Id("privacyRequest"),
  account_id: Nullable(Id("account")),
  kind: RequestKind,
  state: OneOf(["open", "done", "refused"]),
  text: Nullable(Type.String({ description: "In the words of who asked; gone with the account" })),
  asked_on: Day,
  due_on: Day,
  closed_on: Nullable(Day),
});
export type PrivacyRequest = Static<typeof PrivacyRequest>;

export const UsageDay = Strict({ day: Day, mebibytes: Type.Integer({ minimum: 0 }) });
export type UsageDay = Static<typeof UsageDay>;

const Version = Type.String({ pattern: "^[A-Za-z0-9.-]{1,40}$" });

/** Looks at one's own choices, or changes one. */
const ownChoices = {
  access: "account",
  tag: "privacy",
  success: { status: 200, schema: PrivacyState },
} as const;

export const privacy = {
  show: defineRoute({
    ...ownChoices,
    method: "GET",
    path: "/api/account/privacy",
    scope: "account:read",
    summary: "Shows what one agreed to, and whether one's account is to be erased",
    errors: [],
  }),
  agree: defineRoute({
    ...ownChoices,
    method: "POST",
    path: "/api/account/privacy/policy",
    summary: "Agrees to the present privacy policy",
    body: Strict({ version: Version }),
    errors: [privacyErrors.textChanged],
  }),
  keepHistory: defineRoute({
    ...ownChoices,
    method: "PUT",
    path: "/api/account/privacy/usage-history",
    summary: "Keeps one's use of each day from the next day on",
    body: Strict({ text_version: Version }),
    errors: [privacyErrors.textChanged],
  }),
  forgetHistory: defineRoute({
    ...ownChoices,
    method: "DELETE",
    path: "/api/account/privacy/usage-history",
    summary: "Keeps it no longer, and destroys the key of what was kept, for all backups too",
    errors: [],
  }),
  history: defineRoute({
    method: "GET",
    path: "/api/account/usage-history",
    access: "account",
    scope: "account:read",
    tag: "privacy",
    summary: "Lists one's use of each day, where it is kept, the newest first",
    ...pagesOf(UsageDay, {}),
    errors: [],
  }),
  export: defineRoute({
    method: "POST",
    path: "/api/account/export",
    access: "account",
    limit: "sensitive",
    tag: "privacy",
    summary: "Sends everything that is kept about oneself, each field with its meaning",
    body: Strict(Proof),
    success: { status: 200, schema: Type.Unknown({ description: "See docs/privacy.md" }) },
    errors: [...proofErrors],
  }),
  askDeletion: defineRoute({
    method: "POST",
    path: "/api/account/deletion",
    access: "account",
    limit: "sensitive",
    tag: "privacy",
    summary: "Has one's account erased when the days of grace are over, for all backups too",
    body: Strict(Proof),
    success: { status: 202, schema: Deletion },
    errors: [...proofErrors, accountErrors.lastAdmin],
  }),
  withdrawDeletion: defineRoute({
    method: "DELETE",
    path: "/api/account/deletion",
    access: "account",
    tag: "privacy",
    summary: "Keeps one's account",
    success: { status: 204, schema: Nothing },
    errors: [privacyErrors.noDeletion],
  }),
  ask: defineRoute({
    method: "POST",
    path: "/api/account/privacy-requests",
    access: "account",
    limit: "sensitive",
    tag: "privacy",
    summary: "Asks those who run the service for something about one's data; they answer within a month",
    body: Strict({ kind: RequestKind, text: Type.Optional(HumanText(1000)) }),
    success: { status: 201, schema: PrivacyRequest },
    errors: [privacyErrors.tooManyRequests],
  }),
  ownRequests: defineRoute({
    method: "GET",
    path: "/api/account/privacy-requests",
    access: "account",
    scope: "account:read",
    tag: "privacy",
    summary: "Lists what one asked for",
    ...pagesOf(PrivacyRequest, {}),
    errors: [],
  }),
};

export const privacyDesk = {
  requests: defineRoute({
    method: "GET",
    path: "/api/admin/privacy-requests",
    access: "staff",
    scope: "accounts:read",
    tag: "privacy",
    summary: "Lists what people asked for about their data, what is due first",
    ...pagesOf(PrivacyRequest, { state: Type.Optional(OneOf(["open", "done", "refused"])) }),
    errors: [],
  }),
  close: defineRoute({
    method: "PATCH",
    path: "/api/admin/privacy-requests/{id}",
    access: "staff",
    tag: "privacy",
    summary: "Closes a request",
    params: IdParams("privacyRequest"),
    body: Strict({ state: OneOf(["done", "refused"]) }),
    success: { status: 200, schema: PrivacyRequest },
    errors: [privacyErrors.requestNotFound, privacyErrors.requestClosed],
  }),
  showDeletion: defineRoute({
    method: "GET",
    path: "/api/admin/accounts/{id}/deletion",
    access: "staff",
    scope: "accounts:read",
    tag: "privacy",
    summary: "Shows whether an account is to be erased",
    params: IdParams("account"),
    success: { status: 200, schema: Strict({ deletion: Nullable(Deletion) }) },
    errors: [accountErrors.notFound],
  }),
  erase: defineRoute({
    method: "POST",
    path: "/api/admin/accounts/{id}/deletion",
    access: "admin",
    tag: "privacy",
    summary: "Has an account erased when the days of grace are over, or today",
    params: IdParams("account"),
    body: Strict({ is_at_once: Type.Optional(Type.Boolean()) }),
    success: { status: 202, schema: Deletion },
    errors: [accountErrors.notFound, accountErrors.lastAdmin],
  }),
  keep: defineRoute({
    method: "DELETE",
    path: "/api/admin/accounts/{id}/deletion",
    access: "admin",
    tag: "privacy",
    summary: "Keeps an account that was to be erased",
    params: IdParams("account"),
    success: { status: 204, schema: Nothing },
    errors: [accountErrors.notFound, privacyErrors.noDeletion],
  }),
};
