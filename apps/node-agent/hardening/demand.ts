/** How a machine fares with a demand. */
export type Finding =
  | { readonly state: "met"; readonly note?: string }
  /** `why` says what is wrong and what to do; it holds no address. */
  | { readonly state: "failed"; readonly why: string }
  /** Not to be seen or set from here, such as a setting of the host's kernel in a container. */
  | { readonly state: "elsewhere"; readonly why: string };

/** Something about the machine without which the promise to keep nothing could be broken. */
export interface Demand {
  readonly id: string;
  /** What would be kept otherwise. */
  readonly why: string;
  /** Whether the node must not serve without it. */
  readonly isEssential: boolean;
  check(): Promise<Finding>;
  /** Does what it takes; absent where only the operator can. A failure shows in the next check. */
  apply?(): Promise<void>;
  /** Takes back what `apply` did, when the node leaves. */
  undo?(): Promise<void>;
}

export const met: Finding = { state: "met" };

export function failed(why: string): Finding {
  return { state: "failed", why };
}

export function elsewhere(why: string): Finding {
  return { state: "elsewhere", why };
}
