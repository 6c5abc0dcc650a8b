import { AGE_NONE, SESSION_SECONDS_MAX } from "@securewave/contracts/node-frames";
import { type Clock, SECOND_MS } from "@securewave/foundation";
import type { Figures } from "./figures.ts";
import type { Place, Places } from "./places.ts";

/** Where a device stands at this moment. */
export interface ConnectionState {
  readonly isConnected: boolean;
  /** Undefined while not connected. */
  readonly handshakeAgeSeconds: number | undefined;
  /** In this session only. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/**
 * Who is connected, in this process's memory and nowhere else: never in a table, a log or a backup
 * (ZERO-LOG R8). The nodes are the truth; after a restart their next report fills it again.
 */
export interface Connections {
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

export interface ConnectionsOptions {
  readonly clock: Clock;
  readonly places: Places;
  readonly figuresOf: (nodeId: string) => Figures | undefined;
  readonly all: () => Iterable<Figures>;
  /** A session of this slot ended without a report that says so. */
  readonly ended: (place: Place) => void;
}

/** @returns also `tell`: to be called after a report was taken in */
export function createConnections(
  options: ConnectionsOptions,
): Connections & { tell(figures: Figures): void } {
  const { clock, places, figuresOf, all, ended } = options;
  const subscribers = new Set<{ publicKeys: () => Iterable<string>; changed: () => void }>();

  function ageAt({ figures, slot }: Place): number {
    const reported = figures.ages[slot] ?? AGE_NONE;
    if (reported === AGE_NONE) return Number.POSITIVE_INFINITY;
    // A clock that was set back makes no session younger than it was.
    return reported + Math.max(0, Math.floor((clock.now() - figures.reportedAtMs) / SECOND_MS));
  }

  /** Of a device that moved, the place of its newest handshake. */
  function placeOf(publicKey: string): (Place & { readonly age: number }) | undefined {
    let best: (Place & { readonly age: number }) | undefined;
    for (const place of places.of(publicKey)) {
      const age = ageAt(place);
      if (!best || age < best.age) best = { ...place, age };
    }
    return best;
  }

  return {
    forgetPeer(publicKey) {
      for (const place of places.of(publicKey)) {
        const { figures, slot } = place;
        if ((figures.ages[slot] ?? AGE_NONE) === AGE_NONE) continue;
        figures.ages[slot] = AGE_NONE;
        figures.connected--;
        ended(place);
      }
      for (const { publicKeys, changed } of subscribers) {
        if ([...publicKeys()].includes(publicKey)) changed();
      }
    },
    stateOf(publicKey) {
      const place = placeOf(publicKey);
      if (!place || place.age >= SESSION_SECONDS_MAX) return NOT_CONNECTED;
      const { figures, slot, age } = place;
      return {
        isConnected: true,
        handshakeAgeSeconds: age,
        receivedBytes: (figures.received[slot] ?? 0) - (figures.beforeReceived[slot] ?? 0),
        sentBytes: (figures.sent[slot] ?? 0) - (figures.beforeSent[slot] ?? 0),
      };
    },
    countOf: (nodeId) => figuresOf(nodeId)?.connected ?? 0,
    count() {
      let count = 0;
      for (const { connected } of all()) count += connected;
      return count;
    },
    subscribe(publicKeys, changed) {
      const subscriber = { publicKeys, changed };
      subscribers.add(subscriber);
      return () => subscribers.delete(subscriber);
    },
    tell(figures) {
      const isTouched = (publicKey: string) =>
        places.of(publicKey).some((place) => place.figures === figures && figures.touched[place.slot] === 1);
      for (const { publicKeys, changed } of subscribers) {
        for (const key of publicKeys()) {
          if (!isTouched(key)) continue;
          changed();
          break;
        }
      }
    },
  };
}
