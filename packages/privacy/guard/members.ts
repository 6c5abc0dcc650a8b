import type { Catalogue } from "../catalogue.ts";
import type { Group, Room } from "../entry.ts";
import type { Finding } from "../finding.ts";

/** The members of a JSON schema by their path, `peers.public_key`, each with its closed list of values, if it has one. */
export function membersOf(schema: unknown): ReadonlyMap<string, readonly string[]> {
  const members = new Map<string, readonly string[]>();
  walk(schema, "", members);
  members.delete("");
  return members;
}

function walk(schema: unknown, path: string, members: Map<string, readonly string[]>): void {
  if (typeof schema !== "object" || schema === null) return;
  const properties = "properties" in schema && isRecord(schema.properties) ? schema.properties : undefined;
  const variants = "anyOf" in schema && Array.isArray(schema.anyOf) ? schema.anyOf : [];
  const items = "items" in schema ? schema.items : undefined;
  const inner = new Map<string, readonly string[]>();
  for (const [name, member] of Object.entries(properties ?? {})) walk(member, join(path, name), inner);
  for (const variant of variants) walk(variant, path, inner);
  if (items !== undefined) walk(items, path, inner);
  if (properties === undefined && !hasDeeper(inner, path)) {
    const values = [...literalsOf(schema), ...(inner.get(path) ?? [])];
    members.set(path, [...new Set([...(members.get(path) ?? []), ...values])]);
  }
  for (const [name, values] of inner) if (name !== path) members.set(name, values);
}

function hasDeeper(inner: ReadonlyMap<string, unknown>, path: string): boolean {
  return [...inner.keys()].some((name) => name !== path);
}

function literalsOf(schema: object): string[] {
  if ("const" in schema && typeof schema.const === "string") return [schema.const];
  return "enum" in schema && Array.isArray(schema.enum) ? schema.enum.map(String) : [];
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/**
 * Holds messages against the catalogue, both ways: each message and member must be listed, and each that is listed
 * must be there.
 *
 * @param schemas by the name that the catalogue has for them
 */
export function findInMessages(
  room: Room,
  schemas: ReadonlyMap<string, unknown>,
  catalogue: Catalogue,
  isMeant: (group: Group) => boolean = () => true,
): Finding[] {
  const mend = "List it in packages/privacy/rooms, or do not send it.";
  const findings = [...schemas].flatMap(([name, schema]): Finding[] => {
    const group = catalogue.find(room, name);
    if (group === undefined)
      return [
        {
          rule: `listed: ${room}`,
          place: name,
          problem: `is not listed in the room “${room}”`,
          mend,
        },
      ];
    return findInMembers(group, membersOf(schema));
  });
  const stale = catalogue.of(room).filter((group) => isMeant(group) && !schemas.has(group.name));
  return [
    ...findings,
    ...stale.map(({ name }) => ({
      rule: "no stale entries",
      place: name,
      problem: `is listed and there is no such ${room}`,
      mend: "Take it out of packages/privacy/rooms.",
    })),
  ];
}

/** Holds the members of one message, each with its closed list of values, against what is listed. */
export function findInMembers(
  { room, name: message, fields }: Group,
  members: ReadonlyMap<string, readonly string[]>,
): Finding[] {
  const found = [...members].flatMap(([name, values]): Finding[] => {
    const place = `${message}.${name}`;
    const field = fields[name];
    const mend = "List it in packages/privacy/rooms, or leave it out.";
    if (field === undefined)
      return [
        { rule: `listed: ${room}`, place, problem: "is a member that the catalogue does not list", mend },
      ];
    const isOpen = field.precision === "word" && (field.values ?? []).length > 0 && values.length === 0;
    const surplus =
      field.precision === "word"
        ? values.filter((value) => field.values?.length && !field.values.includes(value))
        : [];
    if (isOpen)
      return [
        { rule: "closed lists", place, problem: "takes any text, and is listed with a closed list", mend },
      ];
    return surplus.length === 0
      ? []
      : [{ rule: "closed lists", place, problem: `also takes ${surplus.join(", ")}`, mend }];
  });
  const gone = Object.keys(fields).filter((name) => !members.has(name));
  return [
    ...found,
    ...gone.map((name) => ({
      rule: "no stale entries",
      place: `${message}.${name}`,
      problem: "is listed and is no member",
      mend: "Take it out of packages/privacy/rooms.",
    })),
  ];
}
