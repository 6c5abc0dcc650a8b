import { Type } from "typebox";
import { CHALLENGE_PURPOSES } from "./challenge-purposes.ts";
import { defineRoute } from "./route.ts";
import { OneOf, Strict } from "./schemas.ts";

export const challenges = {
  issue: defineRoute({
    method: "GET",
    path: "/api/auth/challenge",
    access: "anyone",
    tag: "sessions",
    summary: "Makes a proof-of-work challenge; its solution goes into X-Challenge-Solution",
    query: Strict({ purpose: OneOf(CHALLENGE_PURPOSES) }),
    success: { status: 200, schema: Strict({ challenge: Type.String() }) },
    errors: [],
  }),
};
