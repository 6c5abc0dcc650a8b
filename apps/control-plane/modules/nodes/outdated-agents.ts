import { MINUTE_MS } from "@securewave/foundation";

/**
 * Which nodes' agents asked in vain in another version of the protocol, in memory. Whoever knows a node's id can say
 * so in its name: it is shown while the node is not connected, and decides nothing.
 */
export interface OutdatedAgents {
  note(nodeId: string, protocol: number): void;
  forget(nodeId: string): void;
  /** The version in which it asked last. */
  protocolOf(nodeId: string): number | undefined;
}

/** Agents that are told so ask again every minute. */
const HOLDS_MS = 5 * MINUTE_MS;
const NODES_MAX = 20_000;

export function createOutdatedAgents(): OutdatedAgents {
  const asked = new Map<string, { readonly protocol: number; readonly atMs: number }>();
  return {
    note(nodeId, protocol) {
      asked.delete(nodeId);
      asked.set(nodeId, { protocol, atMs: performance.now() });
      const [oldest] = asked.keys();
      if (asked.size > NODES_MAX && oldest !== undefined) asked.delete(oldest);
    },
    forget(nodeId) {
      asked.delete(nodeId);
    },
    protocolOf(nodeId) {
      const last = asked.get(nodeId);
      return last && performance.now() - last.atMs < HOLDS_MS ? last.protocol : undefined;
    },
  };
}
