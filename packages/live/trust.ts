import type { Impossible } from "./figures.ts";

/** Which nodes said what cannot be; no byte of theirs counts until they count anew. */
export interface Trust {
  /**
   * @param incarnation the one that is distrusted, where it is known
   * @returns false where this was known already
   */
  lose(nodeId: string, why: Doubt, isLifted: boolean, incarnation: string | undefined): boolean;
  /** Whether the node's figures may count: a lifted distrust ends with the incarnation that caused it. */
  holds(nodeId: string, incarnation: string): boolean;
  /** The node is to begin anew, and has not yet. */
  isLifted(nodeId: string): boolean;
  regain(nodeId: string): void;
  lost(): ReadonlyMap<string, Doubt>;
}

export type Doubt = Impossible | "earlier";

interface Loss {
  readonly why: Doubt;
  incarnation: string | undefined;
  readonly isLifted: boolean;
}

/** @param regained hears of a node that has begun to count anew */
export function createTrust(regained: (nodeId: string) => void): Trust {
  const losses = new Map<string, Loss>();
  return {
    lose(nodeId, why, isLifted, incarnation) {
      const known = losses.get(nodeId);
      if (known?.isLifted === isLifted) return false;
      losses.set(nodeId, {
        why: known?.why ?? why,
        incarnation: known?.incarnation ?? incarnation,
        isLifted,
      });
      return true;
    },
    holds(nodeId, incarnation) {
      const loss = losses.get(nodeId);
      if (!loss) return true;
      loss.incarnation ??= incarnation;
      if (!loss.isLifted || loss.incarnation === incarnation) return false;
      losses.delete(nodeId);
      regained(nodeId);
      return true;
    },
    isLifted: (nodeId) => losses.get(nodeId)?.isLifted === true,
    regain: (nodeId) => void losses.delete(nodeId),
    lost: () => new Map(Array.from(losses, ([nodeId, { why }]) => [nodeId, why])),
  };
}
