import { type Access, type Role, type RouteSpec, requestErrors, sentinelErrors } from "@securewave/contracts";
import type { Step } from "@securewave/sentinel";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Caller, Identify } from "./caller.ts";

export interface GateOptions {
  readonly identify: Identify;
  /** Refuses an origin from which too many false credentials came, before one more is looked at. */
  readonly limitBefore: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  /** Counts a request against the limit of its caller and that of its route. */
  readonly limitAfter: (spec: RouteSpec, request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  /** Refuses what may not be done while the service is maintained. */
  readonly demandOpen: (spec: RouteSpec, role: Role | undefined) => Promise<void>;
  /** Demands a proof of work while the service is under attack. */
  readonly challengeFor: (purpose: NonNullable<RouteSpec["challenge"]>) => Step;
}

/** Lets a request through to its route, or refuses it. */
export type Gate = (spec: RouteSpec) => (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

const ALLOWED_ROLES: Record<Access, readonly Role[]> = {
  anyone: ["customer", "support", "admin"],
  account: ["customer", "support", "admin"],
  staff: ["support", "admin"],
  admin: ["admin"],
  node: [],
};
/** Asked by machines that must get an answer. */
const UNLIMITED = /^(\/api)?\/health/;

/** What stands in front of each route, in this order: how often, who calls, may they, is it open, is it a robot. */
export function createGate(options: GateOptions): Gate {
  const { identify, limitBefore, limitAfter, demandOpen, challengeFor } = options;
  return (spec) => {
    const demandWork = spec.challenge ? challengeFor(spec.challenge) : undefined;
    const isLimited = !UNLIMITED.test(spec.path);
    // What anyone may do counts for its origin, but for reading: each page asks who is logged in.
    const isIdentified = spec.access !== "anyone" || (isLimited && spec.method === "GET");
    return async (request, reply) => {
      if (isLimited) await limitBefore(request, reply);
      if (isIdentified) request.caller = await identify(request);
      if (isLimited) await limitAfter(spec, request, reply);
      if (spec.access !== "anyone") admit(spec, request.caller);
      await demandOpen(spec, request.caller?.role);
      await demandWork?.(request, reply);
    };
  };
}

function admit({ access, scope }: RouteSpec, caller: Caller | undefined): void {
  if (!caller) throw requestErrors.notLoggedIn();
  if (!ALLOWED_ROLES[access].includes(caller.role)) throw requestErrors.notAllowed();
  if (!caller.apiKey) return;
  if (scope === undefined)
    throw sentinelErrors.scopeMissing({
      detail: "No API key may do that, whatever its scopes: it takes a log-in.",
    });
  if (!caller.apiKey.scopes.includes(scope))
    throw sentinelErrors.scopeMissing({ detail: `This API key has no scope for that: it needs ${scope}.` });
}
