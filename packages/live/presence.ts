/** What is known of a node at this moment, while it is connected. */
export interface NodePresence {
  /** Revision of the state that the node says it holds. */
  readonly appliedRevision: number;
  readonly agentVersion: string;
  /** Why the node says that it is not as it should be; undefined when all is well. */
  readonly problem: string | undefined;
  /** What was found out about it from outside. */
  readonly finding?: string | undefined;
}

/** How a node does at this moment: of all that it carries together. Null is what was not told or tried yet. */
export interface NodeVitals {
  /** 0…1 of the machine's. */
  readonly processor: number | null;
  readonly memory: number | null;
  readonly receivedBitsPerSecond: number | null;
  readonly sentBitsPerSecond: number | null;
  /** Packets dropped or with errors in the five seconds before. */
  readonly troubles: number | null;
  /** Of the last probe; null also where it was lost. */
  readonly handshakeMs: number | null;
  readonly echoMs: number | null;
  /** 0…1 of the last ten probes. */
  readonly probesLost: number | null;
}

/** Which nodes are connected, in memory: a node's own report after a restart restores it. */
export interface Presence {
  set(nodeId: string, presence: NodePresence): void;
  remove(nodeId: string): void;
  /** Notes a node that is connected to another replica; one that is connected here too counts as here. */
  setElsewhere(nodeId: string, presence: NodePresence, vitals: NodeVitals | null): void;
  removeElsewhere(nodeId: string): void;
  of(nodeId: string): NodePresence | undefined;
  /** Takes in what is new of a node that is connected to this process; of others it is left out. */
  noteVitals(nodeId: string, news: Partial<NodeVitals>): void;
  /** Notes what was found out about a node that is connected to this process, which it may not know itself. */
  find(nodeId: string, finding: string | undefined): void;
  vitalsOf(nodeId: string): NodeVitals | undefined;
  /** Whether it is connected to this process. */
  isOwn(nodeId: string): boolean;
  ownNodes(): string[];
  /** Those connected to this process or to another replica. */
  connectedNodes(): string[];
  /** Hears of all but vitals, which change all the time. */
  subscribe(changed: (nodeId: string) => void): () => void;
}

const NO_VITALS: NodeVitals = {
  processor: null,
  memory: null,
  receivedBitsPerSecond: null,
  sentBitsPerSecond: null,
  troubles: null,
  handshakeMs: null,
  echoMs: null,
  probesLost: null,
};

export function createPresence(): Presence {
  const own = new Map<string, NodePresence>();
  const elsewhere = new Map<string, NodePresence>();
  const ownVitals = new Map<string, NodeVitals>();
  const vitalsElsewhere = new Map<string, NodeVitals>();
  const found = new Map<string, string>();
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
      ownVitals.delete(nodeId);
      found.delete(nodeId);
      if (own.delete(nodeId)) tell(nodeId);
    },
    setElsewhere(nodeId, presence, vitals) {
      const before = elsewhere.get(nodeId);
      elsewhere.set(nodeId, presence);
      if (vitals) vitalsElsewhere.set(nodeId, vitals);
      else vitalsElsewhere.delete(nodeId);
      if (!before || !isSame(before, presence)) tell(nodeId);
    },
    removeElsewhere(nodeId) {
      vitalsElsewhere.delete(nodeId);
      if (elsewhere.delete(nodeId)) tell(nodeId);
    },
    of(nodeId) {
      const here = own.get(nodeId);
      const finding = found.get(nodeId);
      if (!here) return elsewhere.get(nodeId);
      return finding === undefined ? here : { ...here, finding };
    },
    noteVitals(nodeId, news) {
      if (!own.has(nodeId)) return;
      ownVitals.set(nodeId, { ...(ownVitals.get(nodeId) ?? NO_VITALS), ...news });
    },
    find(nodeId, finding) {
      if (!own.has(nodeId) || found.get(nodeId) === finding) return;
      if (finding === undefined) found.delete(nodeId);
      else found.set(nodeId, finding);
      tell(nodeId);
    },
    vitalsOf: (nodeId) => (own.has(nodeId) ? ownVitals : vitalsElsewhere).get(nodeId),
    isOwn: (nodeId) => own.has(nodeId),
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
  return isEqual && one.finding === other.finding && one.agentVersion === other.agentVersion;
}
