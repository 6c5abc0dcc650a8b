import { type Clock, SECOND_MS } from "@securewave/foundation";
import type { PublicKey } from "@securewave/wireguard";
import type { PeerCounters } from "./drivers/driver.ts";

export interface HandshakesOptions {
  readonly clock: Clock;
  /** Milliseconds of a clock that is never set. */
  readonly steadyMs: () => number;
}

/** How long ago peers made their handshakes, whatever happens to the system's clock meanwhile. */
export interface Handshakes {
  /** Seconds, by peer, of those in the reading that made one. */
  agesOf(counters: readonly PeerCounters[]): Map<PublicKey, number>;
}

interface Handshake {
  /** As WireGuard says, by the system's clock of that moment. */
  readonly seconds: number;
  readonly atMs: number;
}

export function createHandshakes({ clock, steadyMs }: HandshakesOptions): Handshakes {
  let known = new Map<PublicKey, Handshake>();
  let lastReadingMs: number | undefined;

  /** The system's clock tells the age only at first sight. */
  function firstSeen(seconds: number, nowMs: number): Handshake {
    const toldMs = Math.max(0, clock.now() - seconds * SECOND_MS);
    // A handshake that the last reading did not have is younger than that reading.
    const ageMs = lastReadingMs === undefined ? toldMs : Math.min(toldMs, nowMs - lastReadingMs);
    return { seconds, atMs: nowMs - ageMs };
  }

  return {
    agesOf(counters) {
      const nowMs = steadyMs();
      const ages = new Map<PublicKey, number>();
      const next = new Map<PublicKey, Handshake>();
      for (const { publicKey, lastHandshakeSeconds: seconds } of counters) {
        if (seconds === 0) continue;
        const before = known.get(publicKey);
        const handshake = before?.seconds === seconds ? before : firstSeen(seconds, nowMs);
        next.set(publicKey, handshake);
        ages.set(publicKey, Math.floor((nowMs - handshake.atMs) / SECOND_MS));
      }
      known = next;
      lastReadingMs = nowMs;
      return ages;
    },
  };
}
