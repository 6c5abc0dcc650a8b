import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { Proof, proofErrors } from "./proof.ts";
import { defineRoute } from "./route.ts";
import { Day, HumanText, Id, IdParams, Nothing, Nullable, pagesOf, Strict } from "./schemas.ts";
import { ScopeSchema } from "./scopes.ts";

export const apiKeyErrors = defineErrors("api_keys", {
  notFound: { status: 404, message: "There is no such API key." },
  tooMany: { status: 409, message: "There are as many API keys as an account may have. Revoke one first." },
  tooLong: { status: 422, message: "API keys of this service end sooner. Choose an earlier day." },
});

export const ApiKey = Strict({
  id: Id("apiKey"),
  name: HumanText(60),
  scopes: Type.Array(ScopeSchema),
  requests_per_minute: Type.Integer(),
  created_on: Day,
  expires_on: Day,
  /** Until this day, the text from before the last rotation works too. */
  previous_until: Nullable(Day),
});
export type ApiKey = Static<typeof ApiKey>;

const Shown = Strict({ ...ApiKey.properties, text: Type.String({ description: "Shown once: `swk_…`" }) });

export const apiKeys = {
  list: defineRoute({
    method: "GET",
    path: "/api/account/api-keys",
    access: "account",
    tag: "api keys",
    summary: "Lists one's own API keys",
    ...pagesOf(ApiKey, {}),
    errors: [],
  }),
  create: defineRoute({
    method: "POST",
    path: "/api/account/api-keys",
    access: "account",
    limit: "sensitive",
    tag: "api keys",
    summary: "Makes an API key; its text is shown this once",
    body: Strict({
      name: HumanText(60),
      scopes: Type.Array(ScopeSchema, { minItems: 1, maxItems: 20, uniqueItems: true }),
      expires_in_days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650, default: 90 })),
      requests_per_minute: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: 300 })),
      ...Proof,
    }),
    success: { status: 201, schema: Shown },
    errors: [...proofErrors, apiKeyErrors.tooMany, apiKeyErrors.tooLong],
  }),
  rotate: defineRoute({
    method: "POST",
    path: "/api/account/api-keys/{id}/rotate",
    access: "account",
    limit: "sensitive",
    tag: "api keys",
    summary: "Gives a key a new text; the old one works until the end of the next day",
    params: IdParams("apiKey"),
    body: Strict(Proof),
    success: { status: 200, schema: Shown },
    errors: [...proofErrors, apiKeyErrors.notFound],
  }),
  revoke: defineRoute({
    method: "DELETE",
    path: "/api/account/api-keys/{id}",
    access: "account",
    tag: "api keys",
    summary: "Ends an API key at once",
    params: IdParams("apiKey"),
    success: { status: 204, schema: Nothing },
    errors: [apiKeyErrors.notFound],
  }),
};
