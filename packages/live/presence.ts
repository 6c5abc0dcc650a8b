/** What is known of a node at this moment, while it is connected. */
export interface NodePresence {
  /** Revision of the state that the node says it holds. */
  readonly appliedRevision: number;
  readonly agentVersion: string;
  /** Why the node is not as it should be; undefined when all is well. */
  readonly problem: string | undefined;
}

/** Which nodes are connected, in memory: a node's own report after a restart restores it. */
export interface Presence {
  set(nodeId: string, presence: NodePresence): void;
  remove(nodeId: string): void;
  /** Notes a node that is connected to another replica; one that is connected here too counts as here. */
  setElsewhere(nodeId: string, presence: NodePresence): void;
  removeElsewhere(nodeId: string): void;
  of(nodeId: string): NodePresence | undefined;
  /** Those connected to this process. */
  ownNodes(): string[];
  /** Those connected to this process or to another replica. */
  connectedNodes(): string[];
  subscribe(changed: (nodeId: string) => void): () => void;
}

export function createPresence(): Presence {
  const own = new Map<string, NodePresence>();
  const elsewhere = new Map<string, NodePresence>();
  const subscribers = new Set<(nodeId: string) => void>();
  function tell(nodeId: string): void {
    for (const changed of subscribers) changed(nodeId);
  }
  return {
    set(nodeId, presence) {
      own.set(nodeId, presence);
      tell(nodeId);
    },
    remove(nodeId) {
      if (own.delete(nodeId)) tell(nodeId);
    },
    setElsewhere(nodeId, presence) {
      const before = elsewhere.get(nodeId);
      elsewhere.set(nodeId, presence);
      if (!before || !isSame(before, presence)) tell(nodeId);
    },
    removeElsewhere(nodeId) {
      if (elsewhere.delete(nodeId)) tell(nodeId);
    },
    of: (nodeId) => own.get(nodeId) ?? elsewhere.get(nodeId),
    ownNodes: () => [...own.keys()],
    connectedNodes: () => [...new Set([...own.keys(), ...elsewhere.keys()])],
    subscribe(changed) {
      subscribers.add(changed);
      return () => subscribers.delete(changed);
    },
  };
}

function isSame(one: NodePresence, other: NodePresence): boolean {
  const isEqual = one.appliedRevision === other.appliedRevision && one.problem === other.problem;
  return isEqual && one.agentVersion === other.agentVersion;
}
