import type { Tiers } from "@securewave/contracts/node-protocol";
import type { Peer, PublicKey } from "@securewave/wireguard";
import { describeError } from "./errors.ts";
import type { Limit, Shaper } from "./shaping.ts";

/**
 * Devices that the shaper is told of at once. Where it begins from nothing with 20,000 limits, each takes 1 to 2 ms, and
 * a throttle that comes meanwhile waits for one piece.
 */
const PIECE_DEVICES_MAX = 250;

export interface SpeedsOptions {
  readonly shaper: Pick<Shaper, "apply" | "change">;
  /** The peer as it is wanted; undefined when it is not. */
  readonly peerOf: (publicKey: PublicKey) => Peer | undefined;
  readonly tierOf: (publicKey: PublicKey) => number;
  readonly wantedKeys: () => Iterable<PublicKey>;
  /** Runs after each attempt. */
  readonly onAttempt: () => void;
}

/**
 * How fast each device may be: the smaller of its tier's speed and of its throttle, where it has both. Whatever changes
 * is told to the shaper at once, and only what changes; while it works, more is gathered. What it cannot do is tried
 * again, from nothing, by `bring`.
 */
export interface Speeds {
  /** Why limits are not what they should be; null when they are. */
  readonly problem: string | null;
  /** All tiers with a limit. Until they are known, what the kernel holds stays. */
  takeTiers(speeds: Tiers["speeds"]): void;
  /** All throttles, in kbit/s. */
  takeThrottles(throttles: ReadonlyMap<PublicKey, number>): void;
  /** These peers, or all, came, went or changed. */
  peersChanged(publicKeys: Iterable<PublicKey> | "all"): void;
  /** The interface is there. One that was made anew has no limits; another may stand in its place unnoticed. */
  interfaceUp(outcome: "created" | "adopted"): void;
  /** Tries again what failed. */
  bring(): void;
  /** For saving; undefined while they are not known. */
  tiers(): Tiers["speeds"] | undefined;
}

export function createSpeeds(options: SpeedsOptions): Speeds {
  const { shaper, peerOf, tierOf, wantedKeys, onAttempt } = options;
  /** Undefined while nobody said how fast anybody may be. */
  let tiers: ReadonlyMap<number, number> | undefined;
  let throttles: ReadonlyMap<PublicKey, number> = new Map();
  /** What the shaper was told. */
  const told = new Map<PublicKey, Limit>();
  /** Keys whose limits may be others than those that the shaper was told. */
  const due = new Set<PublicKey>();
  /** Such keys, when there are many, which let those others go first. */
  const dueLater = new Set<PublicKey>();
  /** Whether the kernel may hold other limits than those that the shaper was told. */
  let isStart = true;
  /** Whether the shaper is to look whether the interface is still the one it knows. */
  let isDoubtful = false;
  let isInterfaceUp = false;
  let isWorking = false;
  let problem: string | null = null;

  function limitOf(publicKey: PublicKey): Limit | undefined {
    const speed = speedOf(publicKey);
    const peer = speed === undefined ? undefined : peerOf(publicKey);
    return peer && speed !== undefined ? { addresses: peer.allowedIps, kbitPerSecond: speed } : undefined;
  }

  function speedOf(publicKey: PublicKey): number | undefined {
    const throttle = throttles.get(publicKey);
    const speed = tiers?.get(tierOf(publicKey));
    return throttle === undefined || speed === undefined ? (throttle ?? speed) : Math.min(throttle, speed);
  }

  function takePiece(): Map<PublicKey, Limit | undefined> {
    const piece = new Map<PublicKey, Limit | undefined>();
    for (const publicKeys of [due, dueLater]) {
      for (const publicKey of publicKeys) {
        if (piece.size >= PIECE_DEVICES_MAX) return piece;
        publicKeys.delete(publicKey);
        const limit = limitOf(publicKey);
        if (isSameLimit(limit, told.get(publicKey))) continue;
        piece.set(publicKey, limit);
        if (limit) told.set(publicKey, limit);
        else told.delete(publicKey);
      }
    }
    return piece;
  }

  /** Takes away whatever there is, and has all that is wanted told, throttled devices first. */
  async function begin(): Promise<void> {
    isStart = false;
    isDoubtful = false;
    told.clear();
    for (const publicKey of throttles.keys()) due.add(publicKey);
    for (const publicKey of wantedKeys()) dueLater.add(publicKey);
    await shaper.apply(new Map());
  }

  async function tell(): Promise<void> {
    if (isStart) await begin();
    const piece = takePiece();
    if (piece.size === 0 && !isDoubtful) return;
    isDoubtful = false;
    await shaper.change(piece);
  }

  function hasWork(): boolean {
    return isInterfaceUp && tiers !== undefined && (isStart || isDoubtful || due.size + dueLater.size > 0);
  }

  function bring(): void {
    if (!isWorking) void work();
  }

  async function work(): Promise<void> {
    isWorking = true;
    try {
      while (hasWork()) {
        await tell();
        problem = null;
      }
    } catch (error) {
      isStart = true;
      problem = describeError(error);
    }
    isWorking = false;
    onAttempt();
  }

  function touch(publicKeys: Iterable<PublicKey>, to = due): void {
    for (const publicKey of publicKeys) to.add(publicKey);
    if (to.size > 0 && problem === null) bring();
  }

  function* keysOfTiers(changed: ReadonlySet<number>): Iterable<PublicKey> {
    for (const publicKey of wantedKeys()) if (changed.has(tierOf(publicKey))) yield publicKey;
  }

  return {
    get problem() {
      return problem;
    },
    takeTiers(speeds) {
      const before = tiers;
      const after = new Map(speeds.map(({ tier, kbit_per_second }) => [tier, kbit_per_second]));
      tiers = after;
      if (before === undefined) bring();
      else touch(keysOfTiers(differing(before, after)), dueLater);
    },
    takeThrottles(after) {
      const before = throttles;
      throttles = after;
      tiers ??= new Map();
      touch(differing(before, after));
    },
    peersChanged(publicKeys) {
      if (publicKeys === "all") touch([...told.keys(), ...wantedKeys()], dueLater);
      else touch(publicKeys);
    },
    interfaceUp(outcome) {
      isInterfaceUp = true;
      isStart ||= outcome === "created";
      isDoubtful = true;
      problem = null;
      bring();
    },
    bring,
    tiers: () => tiers && Array.from(tiers, ([tier, kbit_per_second]) => ({ tier, kbit_per_second })),
  };
}

/** The keys whose values differ. */
function differing<Key>(one: ReadonlyMap<Key, number>, other: ReadonlyMap<Key, number>): Set<Key> {
  return new Set([...one.keys(), ...other.keys()].filter((key) => one.get(key) !== other.get(key)));
}

function isSameLimit(one: Limit | undefined, other: Limit | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const { addresses } = other;
  return (
    one.kbitPerSecond === other.kbitPerSecond &&
    one.addresses.length === addresses.length &&
    one.addresses.every((address, index) => address === addresses[index])
  );
}
