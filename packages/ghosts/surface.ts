import type { Ghost, Kind } from "./identity.ts";

/** One thing to be searched, such as a file. */
export interface Source {
  readonly name: string;
  /** Gives it from the beginning. A piece may be used again once the next is asked for. */
  read(): AsyncIterable<Buffer> | Iterable<Buffer>;
}

/** Something that was left out on purpose, such as a socket, and why. */
export interface Skipped {
  readonly name: string;
  readonly reason: string;
}

export interface Collecting {
  skip(name: string, reason: string): void;
}

/** What a positive control placed, and the scanner must find. */
export interface Planted {
  readonly kind: Kind;
  /** One that must be among those found; any will do where there is none. */
  readonly encoding?: string;
}

/** A setting that a surface's cleanness rests on. */
export interface CheckedSetting {
  readonly name: string;
  readonly value: string;
  readonly isRight: boolean;
}

/** Somewhere that a session could leave a trace. */
export interface Surface {
  readonly id: string;
  /** For people: `PostgreSQL: write-ahead log`. */
  readonly title: string;
  /** Of the leak table. */
  readonly rows: readonly number[];
  /** What stands here by design, with the reason, and is no leak. */
  readonly permits?: Readonly<Partial<Record<Kind, string>>>;
  /** Beginnings of the names of those sources that may have it; all may where not given. */
  readonly permitsIn?: readonly string[];
  /**
   * Places a positive control: a ghost of its own, where and as what is searched is really written. Surfaces that are
   * copies of another one give its id in place of a function: what is planted there must be found here.
   */
  readonly plant: string | ((control: Ghost) => Promise<readonly Planted[]>);
  /** What of another one's control arrives here; all of it where not given. */
  readonly arriving?: readonly Planted[];
  /** Takes the control away again, after everything was searched. */
  clear?(): Promise<void>;
  collect(collecting: Collecting): AsyncIterable<Source>;
  settings?(): Promise<readonly CheckedSetting[]>;
}

/** The kinds that a control may consist of. */
export const CONTROL_KINDS: readonly Kind[] = ["ipv4", "dns_name"];

export function textSource(name: string, content: string | Buffer): Source {
  return { name, read: () => [Buffer.from(content)] };
}
