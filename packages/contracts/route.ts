import type { Refusal } from "@securewave/foundation";
import type { Static, TSchema } from "typebox";
import type { ChallengePurpose } from "./challenge-purposes.ts";
import type { Scope } from "./scopes.ts";

/**
 * Who may call a route. Every route states it; there is no default.
 * `anyone` needs no log-in, `account` any log-in, `staff` a support agent or an admin, `node` a VPN server.
 */
export type Access = "anyone" | "account" | "staff" | "admin" | "node";

export type ContentType =
  | "application/json"
  | "application/openmetrics-text"
  | "text/plain"
  | "text/html"
  | "image/svg+xml"
  | "image/png"
  | "application/jsonl"
  | "text/event-stream";

/** What a successful answer looks like; for an event stream, the schema is that of one event. */
export interface SuccessSpec {
  readonly status: 200 | 201 | 202 | 204;
  readonly schema: TSchema;
  /** Statuses of failure that carry the same body: an unhealthy service still tells what is wrong. */
  readonly alsoWith?: readonly number[];
  /** `application/json` where nothing else is said. */
  readonly contentType?: ContentType;
}

/** One operation of the HTTP API: the server mounts it, the client calls it, OpenAPI describes it. */
export interface RouteSpec {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With parameters in braces, as OpenAPI writes them: `/api/vpn/devices/{id}`. */
  readonly path: string;
  readonly access: Access;
  /** The scope that lets an API key call it; where there is none, no API key may. */
  readonly scope?: Scope;
  /** `sensitive` routes check a secret or send a mail, so few calls a minute are let through. */
  readonly limit?: "sensitive";
  /** Under attack, a proof of work for this purpose must come along. */
  readonly challenge?: ChallengePurpose;
  /** A short sentence for the reference. */
  readonly summary: string;
  readonly tag: string;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  readonly success: SuccessSpec;
  /** The refusals of its own; those of every route (bad input, not logged in, …) come on top. */
  readonly errors: readonly Refusal[];
}

export function defineRoute<const Spec extends RouteSpec>(spec: Spec): Spec {
  return spec;
}

type StaticOf<Schema> = Schema extends TSchema ? Static<Schema> : undefined;

export type ParamsOf<Spec extends RouteSpec> = StaticOf<Spec["params"]>;
export type QueryOf<Spec extends RouteSpec> = StaticOf<Spec["query"]>;
export type BodyOf<Spec extends RouteSpec> = StaticOf<Spec["body"]>;
export type ResultOf<Spec extends RouteSpec> = StaticOf<Spec["success"]["schema"]>;

/** A tree of routes, as `api` is one. */
export interface RouteTree {
  readonly [name: string]: RouteSpec | RouteTree;
}

export function isRoute(node: RouteSpec | RouteTree): node is RouteSpec {
  return typeof node.path === "string";
}

/** Lists the routes of a tree, each with its place: `devices.create`. */
export function listRoutes(tree: RouteTree, prefix = ""): { name: string; route: RouteSpec }[] {
  return Object.entries(tree).flatMap(([key, node]) =>
    isRoute(node) ? [{ name: prefix + key, route: node }] : listRoutes(node, `${prefix}${key}.`),
  );
}
