import type { PeerEntry } from "./peer-source.ts";

/**
 * Whose the peers of connected nodes are, in memory: what happens in a tunnel must not cause so much as a read of the
 * database, since reads can write.
 */
export interface PeerDirectory {
  note(nodeId: string, entries: readonly PeerEntry[]): void;
  /** Also of a peer that the node had before, since what it carried may not be settled. */
  ownerOn(nodeId: string, publicKey: string): string | undefined;
  /** Which nodes are to hold which keys of an account. */
  peersOf(accountId: string): Iterable<{ readonly publicKey: string; readonly nodeId: string }>;
  /** Forgets peers that were removed and have no slot any more. */
  keepOnly(nodeId: string, slots: ReadonlySet<string>): void;
  forgetNode(nodeId: string): void;
}

interface Known {
  readonly accountId: string | undefined;
  readonly isPresent: boolean;
}

export function createPeerDirectory(): PeerDirectory {
  const nodes = new Map<string, Map<string, Known>>();
  /** Keys by account; a key's nodes are found by looking at each. */
  const keys = new Map<string, Set<string>>();

  function noteKey(accountId: string | undefined, publicKey: string): void {
    if (accountId === undefined) return;
    const held = keys.get(accountId);
    if (held) held.add(publicKey);
    else keys.set(accountId, new Set([publicKey]));
  }

  function forgetKey(publicKey: string, accountId: string | undefined): void {
    const isElsewhere = [...nodes.values()].some((other) => other.has(publicKey));
    if (accountId === undefined || isElsewhere) return;
    const held = keys.get(accountId);
    held?.delete(publicKey);
    if (held?.size === 0) keys.delete(accountId);
  }

  return {
    note(nodeId, entries) {
      const known = nodes.get(nodeId) ?? new Map<string, Known>();
      nodes.set(nodeId, known);
      for (const { publicKey, accountId, spec } of entries) {
        const owner = accountId ?? known.get(publicKey)?.accountId;
        known.set(publicKey, { accountId: owner, isPresent: spec !== undefined });
        noteKey(owner, publicKey);
      }
    },
    ownerOn: (nodeId, publicKey) => nodes.get(nodeId)?.get(publicKey)?.accountId,
    *peersOf(accountId) {
      for (const publicKey of keys.get(accountId) ?? []) {
        for (const [nodeId, known] of nodes) {
          const entry = known.get(publicKey);
          if (entry?.isPresent && entry.accountId === accountId) yield { publicKey, nodeId };
        }
      }
    },
    keepOnly(nodeId, slots) {
      const known = nodes.get(nodeId);
      for (const [publicKey, { accountId, isPresent }] of known ?? []) {
        if (isPresent || slots.has(publicKey)) continue;
        known?.delete(publicKey);
        forgetKey(publicKey, accountId);
      }
    },
    forgetNode(nodeId) {
      const known = nodes.get(nodeId);
      nodes.delete(nodeId);
      for (const [publicKey, { accountId }] of known ?? []) forgetKey(publicKey, accountId);
    },
  };
}
