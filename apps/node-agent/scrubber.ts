import { type Clock, SECOND_MS, systemClock } from "@securewave/foundation";
import type { Peer, PublicKey } from "@securewave/wireguard";
import type { PeerCounters, Reading, WireGuardDriver } from "./drivers/driver.ts";
import { type Log, silentLog } from "./log.ts";
import type { TracedPeer, Traces, Tunnel } from "./traces.ts";

export interface ScrubberLimits {
  /** A peer is forgotten this long after its handshake. */
  readonly idleSeconds: number;
  /** A peer that has an endpoint and no handshake is forgotten after this. */
  readonly halfHandshakeSeconds: number;
  /** How long what is due may still be there before the node counts as late. */
  readonly lateSeconds: number;
  /** Flows are removed at most so often: each time the kernel's whole table is walked. */
  readonly sweepSeconds: number;
  /** Peers made anew at one tick, those that are due longest first. */
  readonly passPeersMax: number;
  /** A tick waits no longer than this for the work, which goes on. */
  readonly waitMs: number;
}

export const SCRUBBER_LIMITS: ScrubberLimits = {
  /**
   * WireGuard §6.1, REJECT_AFTER_TIME: no session lives longer. Before it the client would go on with keys that the
   * node has forgotten, and miss answers until it makes a new handshake.
   */
  idleSeconds: 180,
  halfHandshakeSeconds: 30,
  lateSeconds: 60,
  sweepSeconds: 15,
  passPeersMax: 2500,
  waitMs: 1000,
};

/** What only the agent knows. */
export interface ScrubberInside {
  /**
   * The peer as it should stand on the interface at this moment; undefined when it should not. A peer that is about to
   * be removed must not come back by being made anew.
   */
  peerOf(publicKey: PublicKey): Peer | undefined;
  /** Peers whose counters begin at 0 again. */
  onForgotten(publicKeys: readonly PublicKey[]): void;
  /**
   * All that belongs in the tunnel at this moment, by which the first sweep finds what an agent before this one left;
   * undefined while that is not known.
   */
  tunnel?(): Tunnel | undefined;
}

export interface ScrubberOptions extends ScrubberInside {
  readonly driver: Pick<WireGuardDriver, "reset">;
  readonly traces: Traces;
  readonly clock?: Clock;
  /** Milliseconds of a clock that is never set. */
  readonly steadyMs?: () => number;
  readonly limits?: Partial<ScrubberLimits>;
  readonly log?: Log;
}

export interface Scrubber {
  /**
   * Makes peers anew that nobody uses any more, and has the kernel forget their flows. To be called with each reading,
   * once its counters were taken. Never throws; what fails is tried again with the next reading.
   */
  scrub(reading: Reading): Promise<void>;
  /** Hears of peers that were taken off the interface, or of prefixes of theirs; also of those that no reading showed. */
  takenOff(peers: readonly TracedPeer[]): void;
  /** Whether something that should be forgotten is still there, or nobody looked. */
  isLate(): boolean;
  /** Resolves when nothing is under way. */
  stop(): Promise<void>;
}

export type OpenScrubber = (inside: ScrubberInside) => Scrubber;

/** What is known of a peer between two readings. */
interface Watch {
  handshakeSeconds: number;
  /** By the steady clock; of the handshake, or of the first sight of an endpoint without one. */
  sinceMs: number;
  receivedBytes: number;
  /** Undefined while the peer is not wanted. */
  peer: Peer | undefined;
}

interface Unswept {
  readonly sinceMs: number;
  /** More than one of a family when the peer moved to another address. */
  readonly prefixes: Set<string>;
}

interface Due {
  readonly publicKey: PublicKey;
  readonly dueMs: number;
}

/** Makes the node forget where customers came from, when, and what they were connected to (ZERO-LOG R5). */
export function createScrubber(options: ScrubberOptions): Scrubber {
  const { driver, traces, peerOf, onForgotten, tunnel, clock = systemClock, log = silentLog } = options;
  const steadyMs = options.steadyMs ?? (() => performance.now());
  const limits = { ...SCRUBBER_LIMITS, ...options.limits };

  let watches = new Map<PublicKey, Watch>();
  let lastReadingMs: number | undefined;
  const openedMs = steadyMs();
  /** When the oldest of what was due at the last reading became so. */
  let oldestDueMs = Number.POSITIVE_INFINITY;
  let resetting: Promise<void> | undefined;
  /** Peers of which the kernel may know more than WireGuard did. */
  let unswept = new Map<PublicKey, Unswept>();
  /** Since when flows of strangers are to be removed; undefined before the first reading, infinite once they are. */
  let strangersSinceMs = tunnel === undefined ? Number.POSITIVE_INFINITY : undefined;
  let sweeping: Promise<void> | undefined;
  let isFailing = false;

  /** Brings what is known up to a reading. Peers that are gone from it were removed, or are forgotten. */
  function observe(reading: Reading, nowMs: number): Map<PublicKey, Watch> {
    const next = new Map<PublicKey, Watch>();
    for (const counters of reading.counters) {
      const { publicKey, receivedBytes, lastHandshakeSeconds } = counters;
      const known = watches.get(publicKey);
      const isSame = known !== undefined && known.handshakeSeconds === lastHandshakeSeconds;
      next.set(publicKey, {
        handshakeSeconds: lastHandshakeSeconds,
        sinceMs: isSame ? known.sinceMs : beginOf(counters, nowMs),
        receivedBytes,
        peer: peerOf(publicKey) ?? known?.peer,
      });
    }
    for (const [publicKey, { peer }] of watches) {
      if (!next.has(publicKey)) noteUnswept(peer, nowMs);
    }
    return next;
  }

  /**
   * When a handshake happened, by the steady clock. The system's clock tells its age only at first sight; then it may be
   * set, forth or back, without a live peer losing its session or an idle one being kept.
   */
  function beginOf({ lastHandshakeSeconds }: PeerCounters, nowMs: number): number {
    if (lastHandshakeSeconds === 0) return nowMs;
    const toldMs = Math.max(0, clock.now() - lastHandshakeSeconds * SECOND_MS);
    // A handshake that the last reading did not have is younger than that reading.
    const youngest = lastReadingMs === undefined ? toldMs : Math.min(toldMs, nowMs - lastReadingMs);
    return nowMs - youngest;
  }

  function dueAtMs({ handshakeSeconds, sinceMs }: Watch): number {
    const seconds = handshakeSeconds === 0 ? limits.halfHandshakeSeconds : limits.idleSeconds;
    return sinceMs + seconds * SECOND_MS;
  }

  function findDue(next: ReadonlyMap<PublicKey, Watch>, nowMs: number): Due[] {
    const due: Due[] = [];
    oldestDueMs = Number.POSITIVE_INFINITY;
    for (const [publicKey, watch] of next) {
      const dueMs = dueAtMs(watch);
      if (dueMs > nowMs) continue;
      oldestDueMs = Math.min(oldestDueMs, dueMs);
      if (!isComingBack(publicKey, watch, nowMs - dueMs)) due.push({ publicKey, dueMs });
    }
    return due.sort((one, other) => one.dueMs - other.dueMs).slice(0, limits.passPeersMax);
  }

  /**
   * Whether a peer whose session ended is making a new handshake: it sent something since the last reading. Made anew in
   * the midst of it, it would be without a tunnel for up to 15 s (WireGuard §6.2). It gets as long as a half handshake.
   */
  function isComingBack(publicKey: PublicKey, watch: Watch, overdueMs: number): boolean {
    if (watch.handshakeSeconds === 0 || overdueMs >= limits.halfHandshakeSeconds * SECOND_MS) return false;
    const before = watches.get(publicKey);
    return before !== undefined && watch.receivedBytes > before.receivedBytes;
  }

  async function reset(due: readonly Due[]): Promise<void> {
    const peers = due.map(({ publicKey }) => peerOf(publicKey)).filter((peer) => peer !== undefined);
    if (peers.length === 0) return;
    try {
      const refused = new Set(await driver.reset(peers));
      const forgotten = peers.filter(({ publicKey }) => !refused.has(publicKey));
      onForgotten(forgotten.map(({ publicKey }) => publicKey));
      const nowMs = steadyMs();
      for (const peer of peers) {
        watches.delete(peer.publicKey);
        noteUnswept(peer, nowMs);
      }
      succeed();
    } catch {
      fail();
    }
  }

  function noteUnswept(peer: TracedPeer | undefined, nowMs: number): void {
    if (peer === undefined) return;
    const known = unswept.get(peer.publicKey) ?? { sinceMs: nowMs, prefixes: new Set() };
    for (const prefix of peer.allowedIps) known.prefixes.add(prefix);
    unswept.set(peer.publicKey, known);
  }

  async function sweep(strangersOf: Tunnel | undefined): Promise<void> {
    const batch = unswept;
    unswept = new Map();
    try {
      if (strangersOf !== undefined) {
        await traces.forgetStrangers(strangersOf);
        strangersSinceMs = Number.POSITIVE_INFINITY;
      }
      const peers = Array.from(batch, ([publicKey, { prefixes }]) => ({
        publicKey,
        allowedIps: [...prefixes],
      }));
      await traces.forget(peers);
      succeed();
    } catch {
      for (const [publicKey, { prefixes, sinceMs }] of batch) {
        for (const prefix of unswept.get(publicKey)?.prefixes ?? []) prefixes.add(prefix);
        unswept.set(publicKey, { prefixes, sinceMs });
      }
      fail();
    }
  }

  /** One line when it begins to fail, and one when it works again. */
  function fail(): void {
    if (!isFailing) log("not-forgetting");
    isFailing = true;
  }

  function succeed(): void {
    if (isFailing) log("forgetting-again");
    isFailing = false;
  }

  function oldestUnsweptMs(): number {
    let oldest = strangersSinceMs ?? Number.POSITIVE_INFINITY;
    for (const { sinceMs } of unswept.values()) oldest = Math.min(oldest, sinceMs);
    return oldest;
  }

  let sweepBeganMs = Number.NEGATIVE_INFINITY;
  /** Since when what is being swept is to be. */
  let sweptSinceMs = Number.POSITIVE_INFINITY;

  return {
    async scrub(reading) {
      // A reading that was taken while peers are made anew may show them as they were.
      if (resetting !== undefined) return atMost(limits.waitMs, resetting);
      const nowMs = steadyMs();
      const next = observe(reading, nowMs);
      const due = findDue(next, nowMs);
      watches = next;
      lastReadingMs = nowMs;
      if (due.length > 0) {
        resetting = reset(due).finally(() => {
          resetting = undefined;
        });
        await atMost(limits.waitMs, resetting);
      }
      strangersSinceMs ??= nowMs;
      const isTime = nowMs - sweepBeganMs >= limits.sweepSeconds * SECOND_MS;
      if (sweeping !== undefined || !isTime) return;
      const strangersOf = Number.isFinite(strangersSinceMs) ? tunnel?.() : undefined;
      if (strangersOf === undefined && unswept.size === 0) return;
      sweepBeganMs = nowMs;
      sweptSinceMs = oldestUnsweptMs();
      sweeping = sweep(strangersOf).finally(() => {
        sweeping = undefined;
        sweptSinceMs = Number.POSITIVE_INFINITY;
      });
    },

    takenOff(peers) {
      const nowMs = steadyMs();
      for (const peer of peers) noteUnswept(peer, nowMs);
    },

    isLate() {
      const lateMs = steadyMs() - limits.lateSeconds * SECOND_MS;
      const oldest = Math.min(oldestDueMs, sweptSinceMs, oldestUnsweptMs(), lastReadingMs ?? openedMs);
      return oldest < lateMs;
    },

    async stop() {
      await resetting;
      await sweeping;
    },
  };
}

async function atMost(milliseconds: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, over]);
  clearTimeout(timer);
}
