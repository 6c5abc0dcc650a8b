import type { Peer, PublicKey } from "@securewave/wireguard";
import type { WireGuardDriver } from "./drivers/driver.ts";

/**
 * An interface that some peers are kept off, though they belong to the desired state: to whoever brings the interface
 * to that state they are there.
 */
export interface WithholdingDriver extends WireGuardDriver {
  isWithheld(publicKey: PublicKey): boolean;
  /** From here on exactly these peers are to be kept off; `enforce` brings it about. */
  withhold(publicKeys: ReadonlySet<PublicKey>): void;
  /** False when `enforce` has something to do. */
  readonly isEnforced: boolean;
  /**
   * Takes withheld peers off the interface and puts those back that are withheld no more.
   *
   * @param peerOf the peer as it is wanted; undefined when it is not
   * @throws when the interface cannot be reached; then it is to be called again
   */
  enforce(peerOf: (publicKey: PublicKey) => Peer | undefined): Promise<void>;
}

export function createWithholdingDriver(inner: WireGuardDriver): WithholdingDriver {
  let wanted: ReadonlySet<PublicKey> = new Set();
  /** Peers that are kept off, as they would stand on the interface. */
  const held = new Map<PublicKey, Peer>();
  /** Of the wanted ones, those that are known not to be on the interface. */
  let off = new Set<PublicKey>();
  let isEnforced = true;

  return {
    implementation: inner.implementation,
    open: (settings) => inner.open(settings),
    async read() {
      const present = await inner.read();
      const keys = new Set(present.map(({ publicKey }) => publicKey));
      return [...present, ...[...held.values()].filter(({ publicKey }) => !keys.has(publicKey))];
    },
    apply({ upserts, removals }) {
      for (const key of removals) held.delete(key);
      for (const { peer } of upserts) {
        if (wanted.has(peer.publicKey)) held.set(peer.publicKey, peer);
        else off.delete(peer.publicKey);
      }
      return inner.apply({ upserts: upserts.filter(({ peer }) => !wanted.has(peer.publicKey)), removals });
    },
    async reports() {
      const { peerCount, counters } = await inner.reports();
      return { peerCount: peerCount + held.size, counters };
    },
    reset: (peers) => inner.reset(peers.filter(({ publicKey }) => !wanted.has(publicKey))),
    detach: () => inner.detach(),
    close: (name) => inner.close(name),

    isWithheld: (publicKey) => wanted.has(publicKey),
    get isEnforced() {
      return isEnforced;
    },
    withhold(publicKeys) {
      wanted = publicKeys;
      isEnforced = false;
    },
    async enforce(peerOf) {
      const aim = wanted;
      const removals = [...aim].filter((publicKey) => !off.has(publicKey));
      // First in memory, so that nothing that overlaps takes one of them for missing.
      for (const publicKey of removals) {
        const peer = peerOf(publicKey);
        if (peer) held.set(publicKey, peer);
      }
      const released = [...held.keys()].filter((publicKey) => !aim.has(publicKey));
      const upserts = released.flatMap((publicKey) => {
        const peer = peerOf(publicKey);
        return peer ? [{ peer, before: undefined }] : [];
      });
      if (upserts.length + removals.length > 0) await inner.apply({ upserts, removals });
      for (const publicKey of released) held.delete(publicKey);
      off = new Set(aim);
      isEnforced = wanted === aim;
    },
  };
}
