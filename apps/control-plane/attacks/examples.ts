import { api, listRoutes, type RouteSpec } from "@securewave/contracts";
import { createId, ID_PREFIXES, type IdKind, invariant } from "@securewave/foundation";

/** What the schemas of the contract are made of, and so the OpenAPI document. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
}

export interface NamedRoute {
  readonly name: string;
  readonly route: RouteSpec;
}

export const ROUTES: readonly NamedRoute[] = listRoutes(api);

/** Where a value stands in a schema: `["endpoint", "host"]`; `0` is the first item of a list. */
export type Place = readonly (string | number)[];

export const propertiesOf = (schema: object | undefined): [string, Schema][] =>
  Object.entries((schema as Schema | undefined)?.properties ?? {});

const typeOf = ({ type }: Schema) => (Array.isArray(type) ? type[0] : type);

/** Texts for patterns that no plain word fits, by how these begin. */
const TEXTS: readonly (readonly [string, () => string])[] = [
  ["^[A-Za-z0-9.!#$%&", () => `somebody.${createId("account").slice(-8)}@example.org`],
  ["^[a-z0-9]+(?:-", () => "clean-up"],
  ["^[A-Za-z0-9+/]{42}", () => `${"A".repeat(43)}=`],
  ["^[A-Za-z0-9+/]{2090}", () => `${"A".repeat(2091)}=`],
  ["^[A-Z]{2}$", () => "DE"],
  ["^20\\d{2}-", () => "2026-01"],
  ["^[A-Za-z0-9_-]{43}$", () => "A".repeat(43)],
  ["^[A-Za-z0-9_-]+$", () => Buffer.from('["2026"]').toString("base64url")],
  ["^[0-9A-Za-z -]+$", () => "000000"],
];

/** A value that fits a schema, so that what a changed one is refused for is the change. */
export function exampleOf(schema: Schema): unknown {
  if (schema.enum) return schema.enum[0];
  const type = typeOf(schema);
  if (type === "integer" || type === "number") return Math.max(1, schema.minimum ?? 1);
  if (type === "boolean") return true;
  if (type === "array") return schema.items ? [exampleOf(schema.items)] : [];
  if (type === "object") return Object.fromEntries(propertiesOf(schema).map(([n, s]) => [n, exampleOf(s)]));
  return textFor(schema);
}

function textFor({ pattern = "", format, minLength = 0 }: Schema): string {
  if (format === "date") return "2026-01-01";
  if (format === "date-time") return "2026-01-01T00:00:00Z";
  const kind = kindOf(pattern);
  if (kind) return createId(kind);
  const make = TEXTS.find(([start]) => pattern.startsWith(start))?.[1];
  return make ? make() : "x".repeat(Math.max(3, minLength));
}

/** Of which kind a schema's ids are. */
export function kindOf(pattern: string): IdKind | undefined {
  const kinds = Object.keys(ID_PREFIXES) as IdKind[];
  return kinds.find((kind) => pattern.startsWith(`^${ID_PREFIXES[kind]}_`));
}

/** Every place of a schema, also within objects and lists, at which free text may stand. */
export function textPlaces(schema: Schema | undefined, at: Place = []): Place[] {
  if (!schema || schema.enum) return [];
  if (typeOf(schema) === "string") return [at];
  const inner = schema.items ? textPlaces(schema.items, [...at, 0]) : [];
  return [...inner, ...propertiesOf(schema).flatMap(([name, part]) => textPlaces(part, [...at, name]))];
}

/** Every object within a schema, itself too. */
export function objectPlaces(schema: Schema | undefined, at: Place = []): Place[] {
  if (!schema) return [];
  const own = typeOf(schema) === "object" ? [at] : [];
  const inner = schema.items ? objectPlaces(schema.items, [...at, 0]) : [];
  return [
    ...own,
    ...inner,
    ...propertiesOf(schema).flatMap(([name, part]) => objectPlaces(part, [...at, name])),
  ];
}

export function schemaAt(schema: Schema, place: Place): Schema {
  return place.reduce<Schema>((part, step) => {
    const next = typeof step === "number" ? part.items : part.properties?.[step];
    invariant(next, "a place stands in its schema");
    return next;
  }, schema);
}

/** A copy of a value with another one at a place. */
export function withValue(value: unknown, place: Place, replacement: unknown): unknown {
  const [step, ...rest] = place;
  if (step === undefined) return replacement;
  if (Array.isArray(value))
    return value.map((item, at) => (at === step ? withValue(item, rest, replacement) : item));
  const object: Record<string, unknown> = { ...(value as object) };
  return { ...object, [step]: withValue(object[step], rest, replacement) };
}

export interface Example {
  readonly params: Record<string, unknown>;
  readonly query: Record<string, unknown>;
  /** Undefined where a route takes none. */
  readonly body: unknown;
}

export function exampleFor(route: RouteSpec): Example {
  const fill = (schema: object | undefined) => exampleOf({ type: "object", ...schema });
  return {
    params: fill(route.params) as Record<string, unknown>,
    query: fill(route.query) as Record<string, unknown>,
    body: route.body ? fill(route.body) : undefined,
  };
}

export const PARTS = ["params", "query", "body"] as const;

/** The path with its parameters filled in, and the query behind it. */
export function urlOf(route: RouteSpec, { params, query }: Example): string {
  const path = route.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(params[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) search.set(name, String(value));
  return search.size > 0 ? `${path}?${search}` : path;
}
