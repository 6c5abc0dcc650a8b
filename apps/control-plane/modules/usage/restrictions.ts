import type { RestrictedPeer } from "@securewave/contracts/node-protocol";
import type { Clock } from "@securewave/foundation";
import type { Plan } from "../plans/index.ts";
import { admit, NO_SLOTS, type Slots } from "./connection-limit.ts";
import { judge, monthOf } from "./quota.ts";

/** What accounts use, from memory. */
export interface UsageFeed {
  /** Bytes of this month (UTC), both directions. */
  used(accountId: string): number;
  /** Every account that used something this month. */
  forEachUsed(each: (accountId: string, usedBytes: number) => void): void;
  /** Called at most once per tick with accounts whose use grew. Returns how to stop. */
  onUsed(changed: (accountIds: Iterable<string>) => void): () => void;
}

/** Who is connected, from memory. */
export interface ConnectionFeed {
  /** Keys of the account's devices that are connected, on whatever nodes. */
  connectedKeysOf(accountId: string): Iterable<string>;
  /** Called at most once per tick with accounts of which a device began or ended being connected. */
  onConnected(changed: (accountIds: Iterable<string>) => void): () => void;
}

/** Which keys an account has, and the nodes that hold them, from memory. */
export interface PeerDirectory {
  peersOf(accountId: string): Iterable<{ readonly publicKey: string; readonly nodeId: string }>;
}

export interface RestrictionsOptions {
  readonly clock: Clock;
  readonly plans: {
    planOf(accountId: string): Plan;
    subscribe(changed: (accountId: string | undefined) => void): () => void;
  };
  readonly usage: UsageFeed;
  readonly connections: ConnectionFeed;
  readonly peers: PeerDirectory;
}

/** So long a new month, or the end of a minute's wait, goes unnoticed. */
const TICK_MS = 1000;

/**
 * Whom the nodes are to throttle or keep away: for the quota of the month, and for more connections at the same
 * time than the plan allows. It lives in memory alone and follows from what is there, so a restart begins it
 * anew from the sealed totals and the nodes' reports.
 */
export function createRestrictions({ clock, plans, usage, connections, peers }: RestrictionsOptions) {
  /** Accounts over their quota. */
  const overQuota = new Map<string, "throttled" | "blocked">();
  /** Accounts whose plan limits connections and that have any. */
  const slots = new Map<string, Slots>();
  const subscribers = new Set<(nodeId: string) => void>();
  let month = monthOf(clock.now());

  /** @returns whether something is different for the account's devices */
  function judgeQuota(accountId: string, usedBytes = usage.used(accountId)): boolean {
    const use = { month, usedBytes, told: 0 } as const;
    const { restriction } = judge(use, plans.planOf(accountId), month);
    const before = overQuota.get(accountId) ?? "none";
    if (restriction === "none") overQuota.delete(accountId);
    else overQuota.set(accountId, restriction);
    return restriction !== before;
  }

  /** @returns whether other devices are kept away */
  function judgeConnections(accountId: string, held = slots.get(accountId) ?? NO_SLOTS): boolean {
    const before = slots.get(accountId)?.withheld ?? NO_SLOTS.withheld;
    const limit = plans.planOf(accountId).connections_max;
    const connected = limit === null ? new Set<string>() : new Set(connections.connectedKeysOf(accountId));
    const next = admit(held, connected, limit, clock.now());
    if (next.admitted.length + next.withheld.size === 0) slots.delete(accountId);
    else slots.set(accountId, next);
    return before.size !== next.withheld.size || [...before.keys()].some((key) => !next.withheld.has(key));
  }

  function tellNodesOf(accountIds: Iterable<string>): void {
    const nodeIds = new Set<string>();
    for (const accountId of accountIds) {
      for (const { nodeId } of peers.peersOf(accountId)) nodeIds.add(nodeId);
    }
    for (const nodeId of nodeIds) for (const changed of subscribers) changed(nodeId);
  }

  /** Every account that may be restricted or that is. */
  function reviewAll(): void {
    const changed = new Set<string>(overQuota.keys());
    const before = new Set(overQuota.keys());
    overQuota.clear();
    usage.forEachUsed((accountId, usedBytes) => {
      if (judgeQuota(accountId, usedBytes) || before.has(accountId)) changed.add(accountId);
    });
    for (const accountId of [...slots.keys()]) if (release(accountId)) changed.add(accountId);
    tellNodesOf(changed);
  }

  /** Who was kept away under another plan may try again at once. */
  function release(accountId: string): boolean {
    const { admitted } = slots.get(accountId) ?? NO_SLOTS;
    return judgeConnections(accountId, { ...NO_SLOTS, admitted });
  }

  function planChanged(accountId: string | undefined): void {
    if (accountId === undefined) {
      reviewAll();
      return;
    }
    const wasOver = overQuota.has(accountId);
    const isChanged = [judgeQuota(accountId) || wasOver, release(accountId)].includes(true);
    if (isChanged) tellNodesOf([accountId]);
  }

  function tick(): void {
    const present = monthOf(clock.now());
    if (present !== month) {
      month = present;
      reviewAll();
    }
    tellNodesOf(
      [...slots]
        .filter(([, { withheld }]) => withheld.size > 0)
        .flatMap(([id]) => (judgeConnections(id) ? [id] : [])),
    );
  }

  const stops = [
    usage.onUsed((accountIds) => tellNodesOf([...accountIds].filter((id) => judgeQuota(id)))),
    connections.onConnected((accountIds) =>
      tellNodesOf([...accountIds].filter((id) => judgeConnections(id))),
    ),
    plans.subscribe(planChanged),
  ];
  const timer = setInterval(tick, TICK_MS).unref();
  reviewAll();

  function* keysOn(nodeId: string, accountId: string): Iterable<string> {
    for (const peer of peers.peersOf(accountId)) if (peer.nodeId === nodeId) yield peer.publicKey;
  }

  function* overQuotaOn(nodeId: string): Iterable<RestrictedPeer> {
    for (const [accountId, kind] of overQuota) {
      const { throttle_kbit_per_second: kbit_per_second } = plans.planOf(accountId);
      for (const public_key of keysOn(nodeId, accountId)) {
        yield kind === "blocked" ? { public_key, kind } : { public_key, kind, kbit_per_second };
      }
    }
  }

  function* withheldOn(nodeId: string): Iterable<RestrictedPeer> {
    for (const [accountId, { withheld }] of slots) {
      if (withheld.size === 0) continue;
      for (const public_key of keysOn(nodeId, accountId)) {
        if (withheld.has(public_key)) yield { public_key, kind: "blocked" };
      }
    }
  }

  return {
    /** The whole list of a node, each key once, in the order of the keys: who is kept away is not throttled. */
    listFor(nodeId: string): RestrictedPeer[] {
      const all = [...overQuotaOn(nodeId), ...withheldOn(nodeId)];
      const byKey = new Map(all.map((restriction) => [restriction.public_key, restriction]));
      return [...byKey.values()].sort((a, b) => (a.public_key < b.public_key ? -1 : 1));
    },
    /** Hears of nodes whose list may have changed. Returns how to stop. */
    subscribe(changed: (nodeId: string) => void): () => void {
      subscribers.add(changed);
      return () => subscribers.delete(changed);
    },
    /** After the totals of the month were read: whoever used up the quota before a restart is restricted again. */
    reviewAll,
    /** Looks at what time alone changes; called each second. */
    tick,
    close(): void {
      clearInterval(timer);
      for (const stop of stops) stop();
    },
  };
}
