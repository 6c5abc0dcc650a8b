import type { IdKind } from "@securewave/foundation";
import { idPattern } from "@securewave/foundation";
import { type Static, type TSchema, Type } from "typebox";

/** An object that refuses fields it does not know. */
export function Strict<const Properties extends Record<string, TSchema>>(
  properties: Properties,
  options: { description?: string; minProperties?: number } = {},
) {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

export function Id(kind: IdKind) {
  return Type.String({ pattern: idPattern(kind), description: `Id of a ${kind}` });
}

export function IdParams(kind: IdKind) {
  return Strict({ id: Id(kind) });
}

/** One of some words; a union of literals would make worse error messages and a longer reference. */
export function OneOf<const Words extends readonly string[]>(
  words: Words,
  options: { default?: string } = {},
) {
  return Type.Unsafe<Words[number]>(Type.String({ enum: [...words], ...options }));
}

/** The value, or null. Of a simple type it is written `type: ["string", "null"]`, which serialises fastest. */
export function Nullable<Schema extends TSchema>(schema: Schema) {
  const { type } = schema as { type?: unknown };
  const isSimple = type === "string" || type === "integer" || type === "number";
  const nullable: TSchema = isSimple
    ? { ...schema, type: [type, "null"] }
    : Type.Union([schema, Type.Null()]);
  return Type.Unsafe<Static<Schema> | null>(nullable);
}

/** A day in UTC: `2026-11-20`. Days and not instants, wherever a time could tell about use. */
export const Day = Type.String({ format: "date" });

/** Text for people: letters, digits, marks and spaces of any script, no control characters. */
export function HumanText(maxLength: number) {
  return Type.String({ minLength: 1, maxLength, pattern: "^[^\\p{C}\\s](?:[^\\p{C}]*[^\\p{C}\\s])?$" });
}

/** Of servers, and of the plans that may use them. */
export const Tags = Type.Array(Type.String({ pattern: "^[a-z0-9-]{1,30}$" }), {
  maxItems: 20,
  uniqueItems: true,
  description: "Who uses a server has a plan with all of its tags",
});

/** ISO 3166-1 alpha-2. Of the moment: it is never kept. */
export const Country = Type.String({
  pattern: "^[A-Z]{2}$",
  description: "Two letters of ISO 3166-1, as DE: where distances are taken from; it is not kept",
});

/** The practical subset of RFC 5321 addresses, in ASCII. */
export const Email = Type.String({
  maxLength: 254,
  pattern:
    "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)+$",
  description: "Mail address",
});

/** NIST SP 800-63B §3.1.1: length is what counts; no rules of composition. */
export const NewPassword = Type.String({
  minLength: 10,
  maxLength: 256,
  description: "At least 10 characters",
});

export const WireGuardKey = Type.String({
  minLength: 44,
  maxLength: 44,
  pattern: "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$",
  description: "32 bytes in base64",
});

export const Ed25519Key = Type.String({
  pattern: "^[A-Za-z0-9_-]{43}$",
  description: "32 bytes in base64url",
});

/** Pagination by cursor: give `next_cursor` of one page to get the one after. */
const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 50 })),
  cursor: Type.Optional(Type.String({ maxLength: 512, pattern: "^[A-Za-z0-9_-]+$" })),
};

export const SearchQuery = {
  search: Type.Optional(
    Type.String({ maxLength: 100, pattern: "^[^\\p{C}]*$", description: "Part of a name" }),
  ),
};

/** What each list has: a query, by pages and what else it can be asked for, and a page of its items. */
export function pagesOf<Item extends TSchema, const Asked extends Record<string, TSchema>>(
  item: Item,
  asked: Asked,
) {
  const page = Strict({ items: Type.Array(item), next_cursor: Nullable(Type.String()) });
  return { query: Strict({ ...PageQuery, ...asked }), success: { status: 200, schema: page } } as const;
}

/** The answer of an operation that has nothing to tell beyond having worked. */
export const Nothing = Type.Null({ description: "No content" });

/** Every refusal and error has this form. @see https://www.rfc-editor.org/rfc/rfc9457 */
export const Problem = Type.Object(
  {
    type: Type.String({ description: "Where the code is explained" }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: "For programs: stable, as `devices.limit_reached`" }),
    detail: Type.Optional(Type.String({ description: "For people" })),
    issues: Type.Optional(Type.Array(Type.Object({ at: Type.String(), message: Type.String() }))),
  },
  { description: "RFC 9457 problem details" },
);
export type Problem = Static<typeof Problem>;
