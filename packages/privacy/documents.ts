import type { Catalogue } from "./catalogue.ts";
import { type Class, type Group, ROOMS, type Room } from "./entry.ts";
import type { Field } from "./fields.ts";

const MARK = (name: string, end: "begin" | "end") =>
  `<!-- ${name}: ${end} (generated from packages/privacy) -->`;

/**
 * Puts a generated part into a document, between its two marks.
 *
 * @returns undefined where the document has no such marks
 */
export function fillDocument(document: string, name: string, part: string): string | undefined {
  const begin = document.indexOf(MARK(name, "begin"));
  const end = document.indexOf(MARK(name, "end"));
  if (begin === -1 || end < begin) return undefined;
  return `${document.slice(0, begin) + MARK(name, "begin")}\n\n${part}\n\n${document.slice(end)}`;
}

const SECTIONS: readonly (readonly [title: string, classes: readonly Class[], note: string])[] = [
  ["Kept in the store", ["durable"], "It is in backups, too, for as long as the operator keeps those."],
  ["Kept sealed", ["sealed ledger"], "All rows are written anew once a day, under a key that no backup has."],
  [
    "Kept in the audit trail",
    ["audit"],
    "Appended to and signed; what customers do stands in it by the day.",
  ],
  ["In memory only", ["live", "kernel memory"], "Gone when the process or the machine ends, at the latest."],
  ["On its way", ["transport"], "Sent, and not kept by the service."],
];

/** The tables of `docs/zero-log.md`: everything about people first, then what is about nobody. */
export function zeroLogTables(catalogue: Catalogue): string {
  const parts = SECTIONS.flatMap(([title, classes, note]) => {
    const groups = catalogue.groups.filter((group) => classes.includes(group.class) && isAboutPeople(group));
    if (groups.length === 0) return [];
    const rows = merge(groups).map(
      (group) =>
        `| ${group.what} | ${placeOf(group)} | ${fieldsOf(group)} | ${group.lifetime} | ${group.purpose} | ${exportOf(group)} |`,
    );
    const head =
      "| what | where | what it tells | for how long | why | in the export |\n| --- | --- | --- | --- | --- | --- |";
    return [`### ${title}\n\n${note}\n\n${[head, ...rows].join("\n")}`];
  });
  return [...parts, `### About nobody\n\n${nobodysTable(catalogue)}`].join("\n\n");
}

/** Kinds of audit entries that differ in nothing but what they are become one row. */
function merge(groups: readonly Group[]): Group[] {
  const merged = new Map<string, Group>();
  for (const group of groups) {
    const { room, whose, lifetime, purpose, name } = group;
    const isKind = room === "audit" && name !== "every entry";
    const key = isKind ? `${whose} ${lifetime} ${purpose}` : `${room} ${name}`;
    const before = merged.get(key);
    const fields = Object.fromEntries(
      Object.entries(group.fields).map(([field, value]) => [`${name}.${field}`, value]),
    );
    merged.set(
      key,
      before === undefined
        ? { ...group, fields }
        : {
            ...before,
            name: `${before.name}, ${name}`,
            what: `${before.what}; ${group.what}`,
            fields: { ...before.fields, ...fields },
          },
    );
  }
  return [...merged.values()];
}

function isAboutPeople({ whose, fields }: Group): boolean {
  return (
    whose !== "nobody" ||
    Object.values(fields).some((field) => field.whose !== undefined && field.whose !== "nobody")
  );
}

function placeOf({ room, name }: Group): string {
  return room === "table" ? `\`${name}\`` : `${room}: ${name}`;
}

/** Its fields in words; those that are as exact as each other, for the same reason, share a bracket. */
function fieldsOf({ fields, whose }: Group, isBrief = false): string {
  const personal = Object.values(fields).filter((field) => (field.whose ?? whose) !== "nobody");
  const byHint = new Map<string, string[]>();
  for (const field of personal) {
    const hint = hintOf(field, isBrief);
    byHint.set(hint, [...(byHint.get(hint) ?? []), field.what]);
  }
  const parts = [...byHint].map(
    ([hint, texts]) => `${[...new Set(texts)].join(", ")}${hint && ` (${hint})`}`,
  );
  return parts.join("; ") || "that it happened";
}

/** Words for those precisions that their own description does not make plain. */
const PLAIN_WORDS: Partial<Record<Field["precision"], string>> = {
  day: "to the day",
  month: "to the month",
  instant: "to the second or finer",
  "pseudonym of the day": "under a pseudonym of the day",
  range: "as a range",
  "whole MiB": "in whole MiB",
  order: "as an order",
};

function hintOf({ what, precision, because }: Field, isBrief: boolean): string {
  const words = PLAIN_WORDS[precision];
  if (words === undefined || (precision !== "instant" && what.includes(precision))) return "";
  return because === undefined || isBrief ? words : `${words}: ${because}`;
}

function exportOf({ export: exported }: Group): string {
  return "as" in exported ? `\`${exported.as}\`` : `no: ${exported.not}`;
}

function nobodysTable(catalogue: Catalogue): string {
  const rows = ROOMS.flatMap((room) => {
    const names = catalogue
      .of(room)
      .filter((group) => !isAboutPeople(group))
      .map(({ name }) => `\`${name}\``);
    return names.length === 0 ? [] : [`| ${room} | ${names.join(", ")} |`];
  });
  return ["| kind | names |", "| --- | --- |", ...rows].join("\n");
}

const POLICY_CLASSES: readonly Class[] = ["durable", "sealed ledger", "audit", "live", "kernel memory"];
/** What stands under another name already: shared counts in memory, jobs in the queue's table. */
const NOT_IN_POLICY: ReadonlySet<Room> = new Set(["redis", "job"]);
const BASIS_WORDS = {
  contract: "to perform the contract with you (Art. 6 (1) b GDPR)",
  "legal obligation": "a legal obligation (Art. 6 (1) c GDPR)",
  "legitimate interest": "our legitimate interest in a service that is safe (Art. 6 (1) f GDPR)",
  consent: "your consent, which you can take back (Art. 6 (1) a GDPR)",
} as const;

/** What is held of customers and can be told apart, in their words. */
export interface PolicyRow {
  readonly data: string;
  readonly where: string;
  readonly howLong: string;
  readonly whatFor: string;
  readonly legalBasis: string;
  readonly inExport: string;
}

export const POLICY_HEADINGS: Readonly<Record<keyof PolicyRow, string>> = {
  data: "data",
  where: "where",
  howLong: "how long",
  whatFor: "what for",
  legalBasis: "legal basis",
  inExport: "in your export",
};

export function policyRows(catalogue: Catalogue): PolicyRow[] {
  const groups = catalogue.groups.filter(
    ({ whose, class: kind, room, name }) =>
      whose === "customer" &&
      POLICY_CLASSES.includes(kind) &&
      !NOT_IN_POLICY.has(room) &&
      !(room === "audit" && name === "every entry"),
  );
  // What is on its way to a place has the same words as what stands there, and is told by that.
  const lasting = new Map(merge(groups).map((group) => [group.what, group]));
  return [...lasting.values()].map((group) => ({
    data: `${group.what}: ${fieldsOf(group, true)}`,
    where: whereOf(group),
    howLong: group.lifetime,
    whatFor: group.purpose,
    legalBasis: group.basis ? BASIS_WORDS[group.basis] : "",
    inExport: "as" in group.export ? "yes" : "no",
  }));
}

/** The table of a privacy policy. */
export function policyTable(catalogue: Catalogue): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const headings = Object.values(POLICY_HEADINGS);
  return [
    line(headings),
    line(headings.map(() => "---")),
    ...policyRows(catalogue).map((row) => line(Object.values(row))),
  ].join("\n");
}

function whereOf({ class: kind }: Group): string {
  if (kind === "live" || kind === "kernel memory") return "memory only";
  return kind === "sealed ledger" ? "stored, sealed" : "stored";
}
