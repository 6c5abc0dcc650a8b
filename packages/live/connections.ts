import type { Clock } from "@securewave/foundation";
import { SECOND_MS } from "@securewave/foundation";

/** WireGuard §6.1: a session without a handshake for this long is dead. */
export const CONNECTED_WITHIN_SECONDS = 180;

/** What a node says of one peer: counters since its interface or the peer was made. */
export interface PeerCounters {
  readonly publicKey: string;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly handshakeAgeSeconds: number;
}

/** Where a device stands at this moment. */
export interface ConnectionState {
  readonly isConnected: boolean;
  /** Undefined while not connected. */
  readonly handshakeAgeSeconds: number | undefined;
  /** In this session only. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

interface Lease {
  nodeId: string;
  handshakeAtMs: number;
  receivedBytes: number;
  sentBytes: number;
  /** Counters at the moment the session began, so that a session's bytes start at zero. */
  receivedBefore: number;
  sentBefore: number;
}

/**
 * Who is connected, in this process's memory and nowhere else: never in a table, a log or a backup
 * (ZERO-LOG R8). The nodes are the truth; after a restart their next report fills it again.
 */
export interface Connections {
  /** Takes a node's report of its connected peers. What it does not name is not connected there. */
  report(nodeId: string, peers: readonly PeerCounters[]): void;
  /** Forgets all that a node reported, when its connection is lost for good. */
  forgetNode(nodeId: string): void;
  forgetPeer(publicKey: string): void;
  stateOf(publicKey: string): ConnectionState;
  countOf(nodeId: string): number;
  count(): number;
  /** Calls back after each report that touched one of the keys; returns how to stop. */
  subscribe(publicKeys: () => Iterable<string>, changed: () => void): () => void;
}

const NOT_CONNECTED: ConnectionState = {
  isConnected: false,
  handshakeAgeSeconds: undefined,
  receivedBytes: 0,
  sentBytes: 0,
};

export function createConnections({ clock }: { clock: Clock }): Connections {
  const leases = new Map<string, Lease>();
  const keysOfNode = new Map<string, Set<string>>();
  const subscribers = new Set<{ publicKeys: () => Iterable<string>; changed: () => void }>();

  function drop(publicKey: string, nodeId: string): void {
    if (leases.get(publicKey)?.nodeId === nodeId) leases.delete(publicKey);
  }

  function tell(touched: ReadonlySet<string>): void {
    if (touched.size === 0) return;
    for (const subscriber of subscribers) {
      for (const key of subscriber.publicKeys()) {
        if (!touched.has(key)) continue;
        subscriber.changed();
        break;
      }
    }
  }

  return {
    report(nodeId, peers) {
      const nowMs = clock.now();
      const before = keysOfNode.get(nodeId) ?? new Set<string>();
      const named = new Set<string>();
      for (const peer of peers) {
        if (peer.handshakeAgeSeconds >= CONNECTED_WITHIN_SECONDS) continue;
        named.add(peer.publicKey);
        leases.set(peer.publicKey, renew(leases.get(peer.publicKey), nodeId, peer, nowMs));
      }
      for (const key of before) if (!named.has(key)) drop(key, nodeId);
      keysOfNode.set(nodeId, named);
      tell(new Set([...before, ...named]));
    },
    forgetNode(nodeId) {
      const keys = keysOfNode.get(nodeId) ?? new Set<string>();
      for (const key of keys) drop(key, nodeId);
      keysOfNode.delete(nodeId);
      tell(keys);
    },
    forgetPeer(publicKey) {
      const lease = leases.get(publicKey);
      if (!lease) return;
      leases.delete(publicKey);
      keysOfNode.get(lease.nodeId)?.delete(publicKey);
      tell(new Set([publicKey]));
    },
    stateOf(publicKey) {
      const lease = leases.get(publicKey);
      if (!lease) return NOT_CONNECTED;
      const ageSeconds = Math.max(0, Math.floor((clock.now() - lease.handshakeAtMs) / SECOND_MS));
      if (ageSeconds >= CONNECTED_WITHIN_SECONDS) return NOT_CONNECTED;
      return {
        isConnected: true,
        handshakeAgeSeconds: ageSeconds,
        receivedBytes: lease.receivedBytes - lease.receivedBefore,
        sentBytes: lease.sentBytes - lease.sentBefore,
      };
    },
    countOf: (nodeId) => keysOfNode.get(nodeId)?.size ?? 0,
    count: () => leases.size,
    subscribe(publicKeys, changed) {
      const subscriber = { publicKeys, changed };
      subscribers.add(subscriber);
      return () => subscribers.delete(subscriber);
    },
  };
}

/** A session goes on while its node stays the same and its counters grow; else one begins at zero. */
function renew(held: Lease | undefined, nodeId: string, peer: PeerCounters, nowMs: number): Lease {
  const goesOn =
    held?.nodeId === nodeId && peer.receivedBytes >= held.receivedBytes && peer.sentBytes >= held.sentBytes;
  return {
    nodeId,
    handshakeAtMs: nowMs - peer.handshakeAgeSeconds * SECOND_MS,
    receivedBytes: peer.receivedBytes,
    sentBytes: peer.sentBytes,
    receivedBefore: goesOn ? held.receivedBefore : peer.receivedBytes,
    sentBefore: goesOn ? held.sentBefore : peer.sentBytes,
  };
}
