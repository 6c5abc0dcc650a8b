import type { PeerSpec } from "@securewave/contracts/node-protocol";

/** One peer's entry in a node's desired state, at the revision that brought it. */
export type PeerEntry =
  | { readonly revision: number; readonly publicKey: string; readonly spec: PeerSpec }
  | { readonly revision: number; readonly publicKey: string; readonly spec: undefined };

/** Where a node's desired state is read. */
export interface PeerSource {
  /** What changed after a revision, in the order of the changes; removals have no spec. */
  readChanges(nodeId: string, afterRevision: number): Promise<PeerEntry[]>;
}
