import type { Peer, PrivateKey, PublicKey } from "@securewave/wireguard";

export interface InterfaceSettings {
  readonly name: string;
  readonly privateKey: PrivateKey;
  readonly listenPort: number;
}

export interface PeerUpsert {
  readonly peer: Peer;
  /** The peer as the interface has it; undefined for a new one. Only what differs is then written. */
  readonly before: Peer | undefined;
}

/** Removals come first, so that an address can move from a removed peer to a new one. */
export interface PeerChange {
  readonly upserts: readonly PeerUpsert[];
  readonly removals: readonly PublicKey[];
}

/** Counters of one peer since it was made. */
export interface PeerCounters {
  readonly publicKey: PublicKey;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Since 1970; 0 for a peer that has not completed a handshake. */
  readonly lastHandshakeSeconds: number;
  /** Whether WireGuard knows where the peer's packets come from. The address itself is read by nobody. */
  readonly hasEndpoint: boolean;
}

export interface Reading {
  /** Peers on the interface, connected or not. */
  readonly peerCount: number;
  /** Of every peer with any state: an endpoint, a handshake or bytes. */
  readonly counters: readonly PeerCounters[];
}

/** Speaks to one WireGuard interface. Endpoints of peers never become text in here (ZERO-LOG R6). */
export interface WireGuardDriver {
  readonly implementation: "kernel" | "userspace";
  /**
   * Creates the interface, or takes over one that is there without touching its peers. Called again, it brings the
   * port and the key to the given settings.
   */
  open(settings: InterfaceSettings): Promise<"created" | "adopted">;
  read(): Promise<Peer[]>;
  /**
   * Applies a change, leaving out the peers that WireGuard refuses.
   *
   * @returns the peers left out; the interface does not have them afterwards
   * @throws when the interface cannot be reached; part of the change may then be applied
   */
  apply(change: PeerChange): Promise<PublicKey[]>;
  reports(): Promise<Reading>;
  /**
   * Makes peers anew with their preshared keys and allowed IPs, so that WireGuard forgets endpoint, handshake, session
   * and counters of each. A peer is taken away and put back in one request, and the routing of other peers is not
   * touched. A call that overlaps with `apply` takes effect in the order of calling.
   *
   * @returns the peers that were not put back; the interface does not have them afterwards
   * @throws when the interface cannot be reached; part of the peers may then have been made anew
   */
  reset(peers: readonly Peer[]): Promise<PublicKey[]>;
  /** Lets go of the interface, which carries on. */
  detach(): void;
  /** Takes an interface away, opened or not. Does nothing when there is none. */
  close(name: string): Promise<void>;
}

/** Whether WireGuard keeps anything about a peer besides its configuration. */
export function hasState(counters: PeerCounters): boolean {
  const { hasEndpoint, lastHandshakeSeconds, receivedBytes, sentBytes } = counters;
  return hasEndpoint || lastHandshakeSeconds > 0 || receivedBytes > 0 || sentBytes > 0;
}

/** What must be written for an upsert; undefined when nothing differs. */
export interface Difference {
  readonly publicKey: PublicKey;
  readonly isNew: boolean;
  /** Undefined leaves it, null takes it away. */
  readonly presharedKey: Peer["presharedKey"] | null;
  /** Undefined leaves them. */
  readonly allowedIps: readonly string[] | undefined;
  /** False when allowed IPs are only added. */
  readonly replaceAllowedIps: boolean;
}

export function differenceOf({ peer, before }: PeerUpsert): Difference | undefined {
  if (peer === before) return undefined;
  const { publicKey } = peer;
  if (before === undefined) {
    return {
      publicKey,
      isNew: true,
      presharedKey: peer.presharedKey,
      allowedIps: peer.allowedIps,
      replaceAllowedIps: true,
    };
  }
  const presharedKey = peer.presharedKey === before.presharedKey ? undefined : (peer.presharedKey ?? null);
  const added = peer.allowedIps.filter((prefix) => !before.allowedIps.includes(prefix));
  const isLosing = before.allowedIps.some((prefix) => !peer.allowedIps.includes(prefix));
  if (presharedKey === undefined && added.length === 0 && !isLosing) return undefined;
  const allowedIps = isLosing ? peer.allowedIps : added.length > 0 ? added : undefined;
  return { publicKey, isNew: false, presharedKey, allowedIps, replaceAllowedIps: isLosing };
}
