import type { Export, Field, Whose } from "./fields.ts";

/** Where a thing lives, and with that what can be got hold of by seizing a disk, a backup or a machine that runs. */
export type Class =
  /** WireGuard's own state on a node; gone with the scrubber, the interface or the machine. */
  | "kernel memory"
  /** Memory of a process, or of a Redis that writes nothing to its disk. */
  | "live"
  /** Rewritten whole once a day under a key that moves on; old copies open no more. */
  | "sealed ledger"
  /** A table or a file: it is in backups too. */
  | "durable"
  /** The audit trail: it is appended to, and archived. */
  | "audit"
  /** On its way over a connection or to an outside program, kept by neither of ours. */
  | "transport";

/** Article 6 (1) of the GDPR: (b), (c), (f), (a). */
export type LegalBasis = "contract" | "legal obligation" | "legitimate interest" | "consent";

/** Which kind of thing it is. Names are unique within a room. */
export type Room = (typeof ROOMS)[number];

export const ROOMS = [
  "table",
  "log event",
  "log",
  "metric",
  "trace",
  "audit",
  "memory",
  "bus",
  "redis",
  "job",
  "mail",
  "file",
  "browser",
  "node protocol",
  "event stream",
  "outgoing",
] as const;

/** What holds for all fields of a table, a metric, a message … unless one of them says otherwise. */
export interface About {
  /** What it is, in words that a customer understands; begins in lower case, has no full stop. */
  readonly what: string;
  readonly class: Class;
  readonly whose: Whose;
  /** `until …`, `… days`, in words. */
  readonly lifetime: string;
  readonly purpose: string;
  /** Stated exactly where it is about people. */
  readonly basis?: LegalBasis;
  readonly export: Export;
}

/** A table with its columns, a log line with its fields, a metric with its labels, a message with its members. */
export interface Group extends About {
  readonly room: Room;
  readonly name: string;
  readonly fields: Readonly<Record<string, Field>>;
  /** Of tables: what else stands on them. */
  readonly triggers?: readonly string[];
  /** How many columns were dropped, each with the table written anew, so that their values are gone. */
  readonly droppedColumns?: number;
  /** Of memory: the type in the code that has these members, `path#Type`. Without one, nothing holds the entry. */
  readonly shape?: string;
  /** Of keys in Redis: their longest life; 0 for channels, of which nothing is kept. */
  readonly lifeSeconds?: number;
}

/** One field with all that holds for it. */
export interface Entry extends About {
  readonly room: Room;
  /** `accounts.email` */
  readonly name: string;
  readonly precision: Field["precision"];
  /** The closed set of its values, where there is one. */
  readonly values?: readonly string[];
}

/** What is not about people needs no basis and stands in no export. */
export const NOBODYS = {
  whose: "nobody",
  export: { not: "is about nobody" },
} as const satisfies Partial<About>;

/** Puts what a field says of itself over what its group says. */
export function entryOf(group: Group, fieldName: string, field: Field): Entry {
  const { room, name, class: kind, whose, lifetime, purpose, basis, export: exported } = group;
  const own = field.whose ?? whose;
  return {
    room,
    name: `${name}.${fieldName}`,
    what: field.what,
    class: kind,
    whose: own,
    lifetime: field.lifetime ?? lifetime,
    purpose: field.purpose ?? purpose,
    ...(own === "nobody" || basis === undefined ? {} : { basis }),
    export: field.export ?? (own === "nobody" ? NOBODYS.export : exported),
    precision: field.precision,
    ...(field.values && { values: field.values }),
  };
}
