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
  of(nodeId: string): NodePresence | undefined;
  connectedNodes(): string[];
  subscribe(changed: (nodeId: string) => void): () => void;
}

export function createPresence(): Presence {
  const nodes = new Map<string, NodePresence>();
  const subscribers = new Set<(nodeId: string) => void>();
  function tell(nodeId: string): void {
    for (const changed of subscribers) changed(nodeId);
  }
  return {
    set(nodeId, presence) {
      nodes.set(nodeId, presence);
      tell(nodeId);
    },
    remove(nodeId) {
      if (nodes.delete(nodeId)) tell(nodeId);
    },
    of: (nodeId) => nodes.get(nodeId),
    connectedNodes: () => [...nodes.keys()],
    subscribe(changed) {
      subscribers.add(changed);
      return () => subscribers.delete(changed);
    },
  };
}
