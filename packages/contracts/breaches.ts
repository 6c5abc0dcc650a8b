import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { keyErrors } from "./keys.ts";
import { nodeErrors } from "./nodes.ts";
import { Proof, proofErrors } from "./proof.ts";
import { defineRoute } from "./route.ts";
import { HumanText, Id, IdParams, Nullable, OneOf, pagesOf, Strict } from "./schemas.ts";

export const breachErrors = defineErrors("breaches", {
  notFound: { status: 404, message: "There is no such breach." },
  alreadyOpen: { status: 409, message: "A breach is open already. Go on with that one, or close it first." },
  closed: { status: 409, message: "This breach is closed. Open another one where there is more to do." },
});

/**
 * Credentials that a breach ends, in the order in which it is best done: `sessions` every log-in but that of who asks,
 * `links` what was sent by mail, `api_keys`, `signing` the key of access tokens with all former ones, `encryption` the
 * key that seals what is secret in the store, `nodes` what nodes know themselves by, over their own connections,
 * `late_nodes` the former credential of those that have not made another one since.
 */
export const CREDENTIALS = [
  "sessions",
  "links",
  "api_keys",
  "signing",
  "encryption",
  "nodes",
  "late_nodes",
] as const;
export type Credential = (typeof CREDENTIALS)[number];

const Instant = Type.String({ format: "date-time" });

export const BreachEntry = Strict({
  number: Type.Integer({ minimum: 1 }),
  at: Instant,
  kind: OneOf(["opened", "isolated", "rotated", "noted", "notified", "reopened", "closed"]),
  detail: Type.String(),
});
export type BreachEntry = Static<typeof BreachEntry>;

const Summary = Strict({
  id: Id("breach"),
  summary: Type.String(),
  opened_at: Instant,
  closed_at: Nullable(Instant),
});

export const Breach = Strict({
  ...Summary.properties,
  entries: Type.Array(BreachEntry),
  waiting: Strict(
    {
      nodes: Type.Array(Type.String(), { description: "That have not made another credential yet, by name" }),
      secrets: Type.Integer({ minimum: 0, description: "Sealed under a former key of encryption" }),
      letters: Nullable(
        Type.Integer({ minimum: 0, description: "Of the newest notice, put into the queue" }),
      ),
    },
    { description: "What goes on by itself" },
  ),
  by_hand: Type.Array(Type.String(), { description: "Credentials that the service does not own" }),
});
export type Breach = Static<typeof Breach>;

const Text = Type.String({ minLength: 1, maxLength: 4000, pattern: "^(?:[^\\p{C}]|\\n)*$" });

const acting = { access: "admin", limit: "sensitive", tag: "breaches" } as const;
const onOne = { params: IdParams("breach"), success: { status: 200, schema: Breach } } as const;
const REFUSALS = [...proofErrors, breachErrors.notFound, breachErrors.closed] as const;

export const breaches = {
  start: defineRoute({
    ...acting,
    method: "POST",
    path: "/api/admin/breaches",
    summary: "Opens a breach, and closes the service to everybody but staff; tunnels go on",
    body: Strict({ summary: HumanText(300), ...Proof }),
    success: { status: 201, schema: Breach },
    errors: [...proofErrors, breachErrors.alreadyOpen],
  }),
  list: defineRoute({
    method: "GET",
    path: "/api/admin/breaches",
    access: "admin",
    tag: "breaches",
    summary: "Lists breaches, the newest first",
    ...pagesOf(Summary, {}),
    errors: [],
  }),
  show: defineRoute({
    method: "GET",
    path: "/api/admin/breaches/{id}",
    access: "admin",
    tag: "breaches",
    summary: "Shows what was done about a breach, and what goes on",
    ...onOne,
    errors: [breachErrors.notFound],
  }),
  note: defineRoute({
    ...onOne,
    method: "POST",
    path: "/api/admin/breaches/{id}/notes",
    access: "admin",
    tag: "breaches",
    summary: "Writes what was found or done into the timeline",
    body: Strict({ text: Text }),
    errors: [breachErrors.notFound, breachErrors.closed],
  }),
  rotate: defineRoute({
    ...acting,
    ...onOne,
    method: "POST",
    path: "/api/admin/breaches/{id}/rotate",
    summary: "Ends credentials; who has a former one is refused from here on",
    body: Strict({ what: OneOf(CREDENTIALS), ...Proof }),
    errors: [...REFUSALS, keyErrors.rotationRunning, keyErrors.ringFull],
  }),
  notify: defineRoute({
    ...acting,
    ...onOne,
    method: "POST",
    path: "/api/admin/breaches/{id}/notices",
    summary: "Writes to everybody, or to those who have a device on a node: one mail each",
    body: Strict({ subject: HumanText(150), text: Text, node_id: Type.Optional(Id("node")), ...Proof }),
    errors: [...REFUSALS, nodeErrors.notFound],
  }),
  close: defineRoute({
    ...acting,
    ...onOne,
    method: "POST",
    path: "/api/admin/breaches/{id}/close",
    summary: "Closes the breach; whom maintenance does not keep out is let in again",
    body: Strict({ text: Type.Optional(Text), ...Proof }),
    errors: REFUSALS,
  }),
};
