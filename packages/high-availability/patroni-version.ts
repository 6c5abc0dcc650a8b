export type PatroniVersion = readonly [major: number, minor: number, patch: number];

/** The first with which nothing acknowledged was lost over etcd 3, whatever was frozen: see docs/decisions/0008. */
export const PATRONI_MIN: PatroniVersion = [4, 1, 0];
/** The first that takes the leader's key in etcd 3 only where nobody has it. */
const COMPARES_SINCE: PatroniVersion = [3, 0, 3];

/** Reads what `patroni --version` says, or the version that its REST interface tells. */
export function parsePatroniVersion(text: string): PatroniVersion | undefined {
  const [, major, minor, patch] = /(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch)];
}

/**
 * Whether this Patroni, over etcd 3, writes the leader's key without looking whether another has it by then: two
 * members lead, and what the first one acknowledged is thrown away.
 */
export function takesLeaderKeyBlindly(version: PatroniVersion): boolean {
  return isBefore(version, COMPARES_SINCE);
}

export function isBefore(version: PatroniVersion, other: PatroniVersion): boolean {
  const at = version.findIndex((part, index) => part !== other[index]);
  return at >= 0 && (version[at] ?? 0) < (other[at] ?? 0);
}
