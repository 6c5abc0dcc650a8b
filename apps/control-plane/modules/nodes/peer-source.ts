import type { PeerSpec } from "@securewave/contracts/node-protocol";

/** One peer's entry in a node's desired state, at the revision that brought it. */
export interface PeerEntry {
  readonly revision: number;
  readonly publicKey: string;
  /** Undefined when the device is no more. */
  readonly accountId: string | undefined;
  /** Undefined for a removal. */
  readonly spec: PeerSpec | undefined;
}

/** Where a node's desired state is read. */
export interface PeerSource {
  /** What changed after a revision, in the order of the changes. */
  readChanges(nodeId: string, afterRevision: number): Promise<PeerEntry[]>;
}
