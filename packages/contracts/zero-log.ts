import { defineErrors } from "@securewave/foundation";
import { type Static, Type } from "typebox";
import { defineRoute } from "./route.ts";
import { Day, Nullable, OneOf, Strict } from "./schemas.ts";

export const zeroLogErrors = defineErrors("zero_log", {
  alreadyRunning: { status: 409, message: "A search is already going on. See how far it is, and wait." },
  notPossible: {
    status: 409,
    message: "This process cannot search: it was started without the program that does.",
  },
});

const Outcome = OneOf(["clean", "leaking", "incomplete"]);
const Count = Type.Integer({ minimum: 0 });

/** One run's report, as it is shown to everybody. */
export const ZeroLogReport = Strict({
  number: Type.Integer({ minimum: 1 }),
  made_on: Day,
  outcome: Outcome,
  hits: Count,
});
export type ZeroLogReport = Static<typeof ZeroLogReport>;

const Note = Type.String({ description: "The report as a C2SP signed note: JSON, and its signature" });

export const ZeroLogProof = Strict({
  report: Nullable(Strict({ ...ZeroLogReport.properties, note: Note })),
  verifier_key: Type.String({ description: "C2SP verifier key: `name+hash+key`" }),
});
export type ZeroLogProof = Static<typeof ZeroLogProof>;

/** A run that goes on, or has ended since this process started. */
export const ZeroLogRun = Strict({
  state: OneOf(["running", "done", "failed"]),
  /** What goes on: the step of the ghosts, or what is searched. */
  doing: Type.String(),
  surfaces: Type.Array(
    Strict({
      id: Type.String(),
      title: Type.String(),
      state: OneOf(["waiting", "searching", "done"]),
      bytes: Count,
      sources: Count,
    }),
  ),
  report: Nullable(Type.Integer({ minimum: 1, description: "Number of the report that came of it" })),
});
export type ZeroLogRun = Static<typeof ZeroLogRun>;

export const zeroLog = {
  latest: defineRoute({
    method: "GET",
    path: "/api/zero-log",
    access: "anyone",
    tag: "zero-log",
    summary: "Shows the newest signed report of the search for traces of made-up customers",
    success: { status: 200, schema: ZeroLogProof },
    errors: [],
  }),
  reports: defineRoute({
    method: "GET",
    path: "/api/zero-log/reports",
    access: "staff",
    scope: "fleet:read",
    tag: "zero-log",
    summary: "Lists the last 30 reports with their signatures, the newest first",
    success: {
      status: 200,
      schema: Strict({ items: Type.Array(Strict({ ...ZeroLogReport.properties, note: Note })) }),
    },
    errors: [],
  }),
  start: defineRoute({
    method: "POST",
    path: "/api/zero-log/runs",
    access: "staff",
    scope: "fleet:write",
    tag: "zero-log",
    summary: "Starts a search now",
    body: Strict({
      is_quick: Type.Optional(
        Type.Boolean({
          description:
            "Removes the ghosts' devices at once, where a whole search waits some four minutes until the node has forgotten them by itself",
        }),
      ),
    }),
    success: { status: 202, schema: ZeroLogRun },
    errors: [zeroLogErrors.alreadyRunning, zeroLogErrors.notPossible],
  }),
  run: defineRoute({
    method: "GET",
    path: "/api/zero-log/run",
    access: "staff",
    scope: "fleet:read",
    tag: "zero-log",
    summary: "Tells how far the search is that this process carries out, or carried out last",
    success: { status: 200, schema: Strict({ run: Nullable(ZeroLogRun) }) },
    errors: [],
  }),
};
