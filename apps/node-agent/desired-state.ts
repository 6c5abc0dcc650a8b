import type { PeerSpec } from "@securewave/contracts/node-protocol";
import { type Peer, type PublicKey, parsePublicKey } from "@securewave/wireguard";
import { createPeerSet } from "@securewave/wireguard/peer-set";
import { differenceOf, type PeerChange, type WireGuardDriver } from "./drivers/driver.ts";
import { isSpecOf, parsePeerSpec } from "./peer-spec.ts";
import type { SavedState } from "./state-file.ts";

export interface Settled {
  readonly revision: number | null;
  /** Of what the interface has. */
  readonly hash: string;
  /** Every wanted peer that the interface does not have, as the control plane spelled its key. */
  readonly failed: readonly string[];
  readonly upserts: number;
  /** What the interface lost: peers, and prefixes of peers. */
  readonly removed: readonly Pick<Peer, "publicKey" | "allowedIps">[];
}

export interface RevisionChange {
  readonly from: number;
  readonly to: number;
  readonly upserts: readonly PeerSpec[];
  readonly removals: readonly string[];
}

/**
 * The peers that the control plane wants, and how they get onto the interface.
 *
 * What arrives is taken at once, in order, in memory; `settle` then brings the interface to the wanted state. Changes
 * that arrive while it works are settled together by the next call, which costs as much as they touch.
 */
export interface DesiredState {
  /** Of the wanted state; null when it did not come from the control plane. */
  readonly revision: number | null;
  /** Of what the interface has. */
  hash(): string;
  readonly size: number;
  readonly isSettled: boolean;
  takeSnapshot(snapshot: { revision: number; peers: readonly PeerSpec[] }): void;
  /** False when the change does not start where the wanted state is; nothing is taken then. */
  takeChange(change: RevisionChange): boolean;
  /** Takes a saved state for wanted. */
  takeSaved(saved: Pick<SavedState, "revision" | "peers" | "tiers">): void;
  /** Reads the interface at the next `settle`, whatever is believed of it. */
  distrustInterface(): void;
  /**
   * Takes what the interface has for wanted, with the tiers that are known, under the known revision when its hash is
   * the known one.
   *
   * @returns how many peers it has
   */
  adopt(known: Pick<SavedState, "revision" | "hash" | "tiers">): Promise<number>;
  /** @throws when the interface cannot be reached; the next call then reads it before changing it */
  settle(): Promise<Settled>;
  /** The peer as it is wanted at this moment; undefined when it is not. */
  wantedPeer(publicKey: PublicKey): Peer | undefined;
  /** The wanted peers at this moment. */
  wanted(): Peer[];
  /** What WireGuard has no part in: 0 for a peer of no tier. */
  tierOf(publicKey: PublicKey): number;
  /** Of the peers that have one, at this moment. */
  tiers(): Map<PublicKey, number>;
}

/** @param ownKey WireGuard silently ignores a peer with the interface's own key, so it counts as failed */
export function createDesiredState(driver: WireGuardDriver, ownKey: PublicKey): DesiredState {
  let wanted = new Map<string, Peer>();
  let tiers = new Map<PublicKey, number>();
  const actual = createPeerSet();
  let revision: number | null = null;
  /** While nobody said what is wanted, what the interface has is. */
  let isKnown = false;
  /** Wanted keys whose spec no WireGuard would take. */
  let unusable = new Set<string>();
  /** Wanted keys that the interface refused. */
  const refused = new Set<PublicKey>();
  /** Keys that may differ between wanted and actual; `all` after anything that leaves it open. */
  let unsettled: Set<PublicKey> | "all" = "all";
  /** Taken off by calls of `settle` that failed in the midst of it, too. */
  let removed: Pick<Peer, "publicKey" | "allowedIps">[] = [];
  /** Whether what is thought to be on the interface must be read from it first. */
  let isDistrusted = true;

  function want(spec: PeerSpec): void {
    const peer = parsePeerSpec(spec);
    if (peer === undefined || peer.publicKey === ownKey) {
      unwant(spec.public_key);
      unusable.add(spec.public_key);
      return;
    }
    hold(peer, spec.tier);
    touch(peer.publicKey);
  }

  function hold(peer: Peer, tier: number): void {
    unusable.delete(peer.publicKey);
    wanted.set(peer.publicKey, peer);
    if (tier > 0) tiers.set(peer.publicKey, tier);
    else tiers.delete(peer.publicKey);
  }

  function unwant(key: string): void {
    unusable.delete(key);
    const publicKey = parsePublicKey(key);
    if (publicKey === undefined) return;
    wanted.delete(publicKey);
    tiers.delete(publicKey);
    refused.delete(publicKey);
    touch(publicKey);
  }

  function touch(publicKey: PublicKey): void {
    if (unsettled !== "all") unsettled.add(publicKey);
  }

  /** Brings what is believed of the interface to what was read, hashing only the peers that differ. */
  function believe(present: readonly Peer[]): void {
    const keys = new Set<PublicKey>();
    for (const peer of present) {
      keys.add(peer.publicKey);
      actual.upsert(peer);
    }
    if (actual.size === keys.size) return;
    for (const { publicKey } of [...actual]) if (!keys.has(publicKey)) actual.remove(publicKey);
  }

  function wantWhatIs(): void {
    isKnown = true;
    wanted = new Map(Array.from(actual, (peer) => [peer.publicKey, peer]));
  }

  function planAll(): PeerChange {
    const removals: PublicKey[] = [];
    for (const { publicKey } of actual) if (!wanted.has(publicKey)) removals.push(publicKey);
    const upserts = [];
    for (const peer of wanted.values()) {
      const upsert = { peer, before: actual.get(peer.publicKey) };
      if (differenceOf(upsert) !== undefined) upserts.push(upsert);
    }
    return { upserts, removals };
  }

  function planFor(publicKeys: ReadonlySet<PublicKey>): PeerChange {
    const upserts = [];
    const removals: PublicKey[] = [];
    for (const publicKey of publicKeys) {
      const peer = wanted.get(publicKey);
      const before = actual.get(publicKey);
      if (peer === undefined) {
        if (before !== undefined) removals.push(publicKey);
      } else if (differenceOf({ peer, before }) !== undefined) {
        upserts.push({ peer, before });
      }
    }
    return { upserts, removals };
  }

  function noteRemoved({ upserts, removals }: PeerChange): void {
    removed.push(...removals.flatMap((publicKey) => actual.get(publicKey) ?? []));
    for (const { peer, before } of upserts) {
      const lost = before?.allowedIps.filter((prefix) => !peer.allowedIps.includes(prefix)) ?? [];
      if (lost.length > 0) removed.push({ publicKey: peer.publicKey, allowedIps: lost });
    }
  }

  function note({ upserts, removals }: PeerChange, leftOut: readonly PublicKey[]): void {
    for (const publicKey of removals) actual.remove(publicKey);
    for (const { peer } of upserts) {
      actual.upsert(peer);
      refused.delete(peer.publicKey);
    }
    for (const publicKey of leftOut) {
      actual.remove(publicKey);
      // Meanwhile it may have become unwanted.
      if (wanted.has(publicKey)) refused.add(publicKey);
    }
  }

  return {
    get revision() {
      return revision;
    },
    get size() {
      return actual.size;
    },
    get isSettled() {
      return unsettled !== "all" && unsettled.size === 0;
    },
    hash: () => actual.hash(),
    wanted: () => [...wanted.values()],
    wantedPeer: (publicKey) => (isKnown ? wanted.get(publicKey) : actual.get(publicKey)),
    tierOf: (publicKey) => tiers.get(publicKey) ?? 0,
    tiers: () => new Map(tiers),

    takeSnapshot(snapshot) {
      isKnown = true;
      const earlier = wanted;
      wanted = new Map();
      tiers = new Map();
      unusable = new Set();
      for (const spec of snapshot.peers) {
        const same = earlier.get(spec.public_key);
        // Most of a snapshot is known already, and checking a key costs ten times as much as comparing it.
        if (same !== undefined && isSpecOf(spec, same)) hold(same, spec.tier);
        else want(spec);
      }
      revision = snapshot.revision;
      unsettled = "all";
    },

    takeSaved(saved) {
      isKnown = true;
      wanted = new Map(saved.peers.map((peer) => [peer.publicKey, peer]));
      tiers = new Map(saved.tiers);
      revision = saved.revision;
      unsettled = "all";
    },

    takeChange({ from, to, upserts, removals }) {
      if (from !== revision) return false;
      for (const key of removals) unwant(key);
      for (const spec of upserts) want(spec);
      revision = to;
      return true;
    },

    distrustInterface() {
      isDistrusted = true;
      unsettled = "all";
    },

    async adopt(known) {
      believe(await driver.read());
      isDistrusted = false;
      wantWhatIs();
      tiers = new Map([...known.tiers].filter(([publicKey]) => wanted.has(publicKey)));
      if (known.hash === actual.hash()) revision = known.revision;
      unsettled = new Set();
      return actual.size;
    },

    async settle() {
      try {
        if (isDistrusted) believe(await driver.read());
        isDistrusted = false;
        if (!isKnown) wantWhatIs();
        // No wait from here to the plan: revision, failures and plan are those of one moment.
        const plan = unsettled === "all" ? planAll() : planFor(unsettled);
        if (unsettled === "all") refused.clear();
        const reached = revision;
        const spoilt = [...unusable];
        unsettled = new Set();
        noteRemoved(plan);
        note(plan, await driver.apply(plan));
        const gone = removed;
        removed = [];
        return {
          revision: reached,
          hash: actual.hash(),
          failed: [...spoilt, ...refused],
          upserts: plan.upserts.length,
          removed: gone,
        };
      } catch (error) {
        isDistrusted = true;
        unsettled = "all";
        throw error;
      }
    },
  };
}
