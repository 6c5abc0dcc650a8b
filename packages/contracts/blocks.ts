import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { defineRoute } from "./route.ts";
import { Id, IdParams, Nothing, OneOf, pagesOf, Strict } from "./schemas.ts";

export const blockErrors = defineErrors("blocks", {
  notFound: { status: 404, message: "There is no such block; it may have ended." },
  wrongNetwork: { status: 422, message: "This is no address and no network such as 203.0.113.0/24." },
  wouldLockOut: { status: 409, message: "This block would hold you too." },
});

/** An origin that is let in no more for a while. It is kept in memory only. */
export const Block = Strict({
  id: Id("block"),
  kind: OneOf(["origin", "network"]),
  origin: Type.String({
    description: "The day's pseudonym of an address, or the network that staff gave",
  }),
  reason: OneOf(["violations", "failed_log_ins", "staff"]),
  since: Type.String({ format: "date-time" }),
  until: Type.String({ format: "date-time" }),
});
export type Block = Static<typeof Block>;

export const blocks = {
  list: defineRoute({
    method: "GET",
    path: "/api/admin/blocks",
    access: "staff",
    scope: "blocks:read",
    tag: "blocks",
    summary: "Lists blocked origins, the newest first",
    ...pagesOf(Block, {}),
    errors: [],
  }),
  add: defineRoute({
    method: "POST",
    path: "/api/admin/blocks",
    access: "staff",
    scope: "blocks:write",
    tag: "blocks",
    summary: "Blocks an address or a network for a while",
    body: Strict({
      network: Type.String({
        minLength: 2,
        maxLength: 50,
        description: "Such as 203.0.113.7 or 2001:db8::/48",
      }),
      minutes: Type.Integer({ minimum: 1, maximum: 10_080 }),
    }),
    success: { status: 201, schema: Block },
    errors: [blockErrors.wrongNetwork, blockErrors.wouldLockOut],
  }),
  lift: defineRoute({
    method: "DELETE",
    path: "/api/admin/blocks/{id}",
    access: "staff",
    scope: "blocks:write",
    tag: "blocks",
    summary: "Lifts a block",
    params: IdParams("block"),
    success: { status: 204, schema: Nothing },
    errors: [blockErrors.notFound],
  }),
};
