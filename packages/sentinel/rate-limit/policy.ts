/** So many of one key in any stretch of so many seconds. */
export interface Policy {
  /** A word for headers and metrics, a–z, 0–9, `-` and `_`: `origin`, `user`. Policies of one name count together. */
  readonly name: string;
  readonly limit: number;
  /** The same for all policies of one name. */
  readonly windowSeconds: number;
}

export interface Verdict {
  readonly isAllowed: boolean;
  readonly limit: number;
  /** How many more are let through at this moment. */
  readonly remaining: number;
  /** When refused, until what was asked fits; else until the next of those that count is forgotten, 0 for none. */
  readonly resetSeconds: number;
}
