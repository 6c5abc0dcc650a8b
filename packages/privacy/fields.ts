export type Whose = "nobody" | "staff" | "customer";

/** How it appears in "everything about me": the part of the export it stands in, or why it does not. */
export type Export = { readonly as: string } | { readonly not: string };

/** How exactly a field tells what it tells. */
export type Precision =
  /** A random id, or a reference to one: it holds no time and no order. */
  | "id"
  /** One of a closed list. */
  | "word"
  /** Text that a person chose. */
  | "given text"
  /** Text of ours or of staff, about nobody. */
  | "text"
  | "hash"
  | "sealed"
  | "public key"
  | "pseudonym of the day"
  | "day"
  | "month"
  /** To the second or finer. */
  | "instant"
  /** Seconds since something, while it goes on. */
  | "age"
  /** A number that grows: it tells what came before what. */
  | "order"
  | "number"
  /** Rounded to the lower end of a range. */
  | "range"
  | "whole MiB"
  | "flag"
  /** An address inside the tunnel. */
  | "tunnel address"
  /** An address in the internet. */
  | "network address"
  /** A structure whose members are listed elsewhere. */
  | "members";

export interface Field {
  /** What it tells; begins in lower case, has no full stop. */
  readonly what: string;
  readonly precision: Precision;
  readonly values?: readonly string[];
  readonly whose?: Whose;
  readonly lifetime?: string;
  readonly purpose?: string;
  readonly export?: Export;
  /** Why a time finer than a day, or an order, tells nothing of a customer's use. */
  readonly because?: string;
  /** Of columns: PostgreSQL must copy no sample of it into its statistics, and store it in place, in one length. */
  readonly isUnsampled?: true;
}

/** What a field may say beyond its kind. */
export type Own = Partial<Pick<Field, "whose" | "lifetime" | "purpose" | "export" | "isUnsampled">>;

const NO_EXPORT_SECRET = { not: "would let whoever holds the export pass for its owner" } as const;
const NO_EXPORT_NOBODY = { not: "is about nobody" } as const;

function maker(precision: Precision, always: Partial<Field> = {}) {
  return (what: string, own: Own = {}): Field => ({ what, precision, ...always, ...own });
}

export const id = maker("id");
export const givenText = maker("given text");
export const publicKey = maker("public key");
export const pseudonym = maker("pseudonym of the day");
export const day = maker("day");
export const month = maker("month");
export const age = maker("age");
export const count = maker("number");
export const range = maker("range");
export const wholeMib = maker("whole MiB");
export const flag = maker("flag");
export const tunnelAddress = maker("tunnel address");
export const networkAddress = maker("network address");
export const members = maker("members");
/** A hash of a secret: nothing that anybody could use or learn from. */
export const hash = maker("hash", { export: NO_EXPORT_SECRET });
/** Encrypted under a key that is not in the database. */
export const sealed = maker("sealed", { export: NO_EXPORT_SECRET });

/** Text of ours or of staff, about nobody unless it says otherwise. */
export const text = maker("text", { whose: "nobody", export: NO_EXPORT_NOBODY });

/** One of a closed list. */
export function word(what: string, values: readonly string[], own: Own = {}): Field {
  return { what, precision: "word", values, ...own };
}

/** A time finer than a day, and why it tells nothing of a customer's use. */
export function instant(what: string, because: string, own: Own = {}): Field {
  return { what, precision: "instant", because, ...own };
}

/** A number that grows, and why its order tells nothing of a customer's use. */
export function order(what: string, because: string, own: Own = {}): Field {
  return { what, precision: "order", because, ...own };
}

/** For fields of a person's record that are about the service's own workings. */
export const ofNobody = { whose: "nobody", export: NO_EXPORT_NOBODY } as const satisfies Own;
