import type { BodyOf, ParamsOf, QueryOf, ResultOf, RouteSpec } from "@securewave/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Caller } from "./caller.ts";
import type { Gate } from "./gate.ts";

export interface RouteRequest<Spec extends RouteSpec> {
  readonly params: ParamsOf<Spec>;
  readonly query: QueryOf<Spec>;
  readonly body: BodyOf<Spec>;
  /** Undefined only on routes that anyone may call. */
  readonly caller: Spec["access"] extends "anyone" ? Caller | undefined : Caller;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** What a handler returns that has sent its answer by itself, as a stream does. */
interface Sent {
  readonly isSent: true;
}
export const SENT: Sent = { isSent: true };

type Answer<Spec extends RouteSpec> = ResultOf<Spec> | Sent;

type Handler<Spec extends RouteSpec> = (request: RouteRequest<Spec>) => Answer<Spec> | Promise<Answer<Spec>>;

/** None of ours comes near it, and whoever is not logged in may send one, too. */
const BODY_BYTES_MAX = 65_536;

/** Adds the operations of the contract to the server. */
export type Mount = <const Spec extends RouteSpec>(spec: Spec, handler: Handler<Spec>) => void;

/**
 * Makes the function that mounts a route: its gate admits only whom the route is for, it takes only
 * what its schemas allow, and sends only the fields that its answer's schema names.
 */
export function createMount(app: FastifyInstance, gate: Gate): Mount {
  const bodyLimit = Math.min(BODY_BYTES_MAX, app.initialConfig.bodyLimit ?? BODY_BYTES_MAX);
  return (spec, handler) => {
    app.route({
      method: spec.method,
      bodyLimit,
      url: spec.path.replace(/\{(\w+)\}/g, ":$1"),
      schema: {
        ...(spec.params ? { params: spec.params } : {}),
        ...(spec.query ? { querystring: spec.query } : {}),
        ...(spec.body ? { body: spec.body } : {}),
        ...(isJson(spec) ? { response: answersOf(spec) } : {}),
      },
      onRequest: gate(spec),
      handler: async (request, reply) => {
        reply.status(spec.success.status);
        const { params, query, body, caller } = request;
        // Fastify has checked all of them against the schemas above, and `admit` the caller.
        const checked = { params, query, body, caller, request, reply } as unknown as RouteRequest<
          typeof spec
        >;
        const result = await handler(checked);
        if (result === SENT) return reply;
        if (spec.success.status === 204) return reply.send();
        return isJson(spec) ? reply.send(result) : reply.type(contentTypeOf(spec)).send(result);
      },
    });
  };
}

function answersOf({ success }: RouteSpec): Record<number, object> {
  const statuses = [success.status, ...(success.alsoWith ?? [])];
  return Object.fromEntries(statuses.map((status) => [status, success.schema]));
}

function isJson(spec: RouteSpec): boolean {
  return (
    spec.success.status !== 204 && (spec.success.contentType ?? "application/json") === "application/json"
  );
}

function contentTypeOf(spec: RouteSpec): string {
  const type = spec.success.contentType ?? "application/json";
  return type.startsWith("text/") ? `${type}; charset=utf-8` : type;
}
