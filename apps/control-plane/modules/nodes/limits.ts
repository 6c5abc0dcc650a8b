import type { PlaneFrame, RestrictedPeer, Tiers } from "@securewave/contracts/node-protocol";

/** What limits devices, wherever they are. */
export interface LimitSources {
  /** Which devices are kept off, or slowed down; without it none is. */
  readonly restrictions?: {
    /** The whole list of a node. */
    listFor(nodeId: string): readonly RestrictedPeer[];
    /** Hears of nodes whose list may have changed. */
    subscribe(changed: (nodeId: string) => void): () => void;
  };
  /** How fast the devices of each tier may be; without it none has a limit. */
  readonly speeds?: {
    /** In one order. */
    list(): Tiers["speeds"];
    /** Hears that it may have changed. */
    subscribe(changed: () => void): () => void;
  };
}

/** The limits that a node is told, each list once and again when it is another. */
export interface Limits {
  tellSpeeds(): void;
  tellRestrictions(): void;
}

export function createLimits(
  nodeId: string,
  { restrictions, speeds }: LimitSources,
  tell: (frame: PlaneFrame) => void,
): Limits {
  let toldSpeeds: string | undefined;
  let toldRestrictions: string | undefined;
  let number = 0;
  return {
    tellSpeeds() {
      const list = [...(speeds?.list() ?? [])];
      const text = JSON.stringify(list);
      if (text === toldSpeeds) return;
      toldSpeeds = text;
      tell({ type: "tiers", speeds: list });
    },
    tellRestrictions() {
      const peers = [...(restrictions?.listFor(nodeId) ?? [])];
      const text = JSON.stringify(peers);
      if (text === toldRestrictions) return;
      toldRestrictions = text;
      tell({ type: "restrict", number: ++number, peers });
    },
  };
}
