import type { BatchFrame, ReportFrame, Totals } from "@securewave/contracts/node-frames";
import type { Clock } from "@securewave/foundation";
import type { Batches, NodeChannel } from "./batches.ts";
import type { Connections } from "./connections.ts";
import {
  type Changes,
  type Figures,
  type Impossible,
  moreIn,
  NOBODY,
  takeAges,
  takeTotals,
} from "./figures.ts";
import type { Holdings, OwnerOf } from "./holdings.ts";
import type { Line } from "./line.ts";
import { impossibleRoster, type NodeRoster, rosterOf } from "./rosters.ts";
import { furthest, moreInBatch } from "./settling.ts";
import type { Doubt, Trust } from "./trust.ts";

/**
 * A node's own words are checked; those of another replica were checked there, and come late or twice without harm.
 */
export type Source = "node" | "replica";

/** Hears of what was taken in from nodes of this replica, once it was found possible. */
export interface UsageListener {
  roster?(figures: Figures): void;
  slots?(figures: Figures, added: number): void;
  report?(figures: Figures, frame: ReportFrame): void;
  batch?(figures: Figures, frame: BatchFrame): void;
  /** A node said what cannot be: no byte of it counts until it is trusted again. */
  distrusted?(nodeId: string, why: Impossible): void;
  /** A distrusted node has begun to count anew, as it was told to. */
  trusted?(nodeId: string): void;
}

export interface MonthOfUse {
  /**
   * Whether what a node says on top of its last report may have been used before the month began.
   *
   * @param reportedAtMs when that report came, of the same incarnation; undefined where this process saw none
   */
  isEarlier(nodeId: string, reportedAtMs: number | undefined): boolean;
  /** Bytes that are such; they are unsettled like others. */
  leaveOut(accountId: string, bytes: number): void;
}

/** The ear for nodes: what they say is taken in where it is possible, and ends their say where it is not. */
export interface Intake {
  /** @returns false for a roster that names a key twice */
  takeRoster(nodeId: string, roster: NodeRoster, ownerOf: OwnerOf, source?: Source): boolean;
  /** @returns false for slots that do not follow on the roster */
  takeSlots(
    nodeId: string,
    slots: { number: number; peers: readonly string[] },
    ownerOf: OwnerOf,
    source?: Source,
  ): boolean;
  /** Leaves a report out that is of another roster than the node's last. */
  takeReport(nodeId: string, report: ReportFrame, source?: Source): void;
  takeBatch(nodeId: string, batch: BatchFrame, source?: Source): void;
  /** @param isLifted it is to begin anew; then its figures count again */
  distrust(nodeId: string, why: Doubt, isLifted: boolean): void;
}

export interface IntakeOptions {
  readonly clock: Clock;
  readonly line: Line;
  readonly holdings: Holdings;
  readonly channels: ReadonlyMap<string, NodeChannel>;
  readonly connections: Connections & { tell(figures: Figures): void };
  readonly batches: Batches;
  readonly trust: Trust;
  readonly changes: Changes;
  readonly listeners: ReadonlySet<UsageListener>;
  readonly month: () => MonthOfUse | undefined;
}

export function createIntake(options: IntakeOptions): Intake {
  const { clock, line, holdings, channels, connections, batches, trust, changes, listeners } = options;
  const { accounts, places, nodes, install } = holdings;

  /** Ends the node's say: what it had counted stands, what it counts from here on does not. */
  function distrust(nodeId: string, why: Doubt, isLifted: boolean): void {
    const held = nodes.get(nodeId);
    if (!trust.lose(nodeId, why, isLifted, held?.incarnation)) return;
    if (held?.isCounted) {
      const roster = rosterOf(held);
      const owners = new Map(held.keys.map((key, slot) => [key, accounts.idOf(held.owners[slot] ?? NOBODY)]));
      install(nodeId, roster, (key) => owners.get(key), false);
      batches.answered(nodeId);
    }
    if (isLifted) channels.get(nodeId)?.recount();
  }

  function refuse(nodeId: string, why: Impossible, source: Source): void {
    if (source === "replica") return;
    distrust(nodeId, why, false);
    const figures = nodes.get(nodeId);
    for (const listener of listeners) {
      listener.distrusted?.(nodeId, why);
      if (figures) listener.roster?.(figures);
    }
  }

  function takeUse(figures: Figures, totals: Totals): void {
    const { nodeId, hasReport, reportedAtMs } = figures;
    const month = options.month();
    const isEarlier = month?.isEarlier(nodeId, hasReport ? reportedAtMs : undefined) === true;
    takeTotals(figures, totals, {
      ...changes,
      used(owner, bytes) {
        changes.used(owner, bytes);
        const accountId = isEarlier ? accounts.idOf(owner) : undefined;
        if (accountId !== undefined) month?.leaveOut(accountId, bytes);
      },
    });
  }

  /** @returns whether what a node says on top of these figures is possible; if not, it is believed no more */
  function isPossible(
    figures: Figures,
    source: Source,
    moreWithin: (bytesMax: number) => Impossible | number,
  ): boolean {
    const bytesMax = source === "replica" ? Number.POSITIVE_INFINITY : line.roomOf(figures);
    const more = moreWithin(bytesMax);
    if (typeof more === "string") refuse(figures.nodeId, more, source);
    else line.spend(figures, bytesMax, more);
    return typeof more === "number";
  }

  const isForeign = (publicKey: string) => places.of(publicKey).length > 0;

  function takeNodesRoster(nodeId: string, roster: NodeRoster, ownerOf: OwnerOf): void {
    if (!trust.holds(nodeId, roster.incarnation)) {
      install(nodeId, roster, ownerOf, false);
      if (trust.isLifted(nodeId)) channels.get(nodeId)?.recount();
      return;
    }
    if (batches.isSettledFirst(nodeId, roster)) return;
    const held = nodes.get(nodeId);
    const hasEnded = holdings.hasEnded(nodeId, roster.incarnation);
    const impossible = hasEnded ? "ended_incarnation" : impossibleRoster(held, roster);
    if (impossible) {
      if (!held) install(nodeId, roster, ownerOf, false);
      refuse(nodeId, impossible, "node");
      return;
    }
    const figures = install(nodeId, roster, ownerOf, true);
    for (const listener of listeners) listener.roster?.(figures);
  }

  function takeReplicasRoster(nodeId: string, roster: NodeRoster, ownerOf: OwnerOf): void {
    const held = nodes.get(nodeId);
    const isOld = held?.incarnation === roster.incarnation && roster.number < held.number;
    if (isOld || holdings.hasEnded(nodeId, roster.incarnation)) return;
    const isCounted = trust.holds(nodeId, roster.incarnation);
    if (!isCounted || !batches.isSettledFirst(nodeId, roster)) install(nodeId, roster, ownerOf, isCounted);
  }

  return {
    takeRoster(nodeId, roster, ownerOf, source = "node") {
      if (new Set(roster.peers).size !== roster.peers.length) return false;
      if (source === "node") takeNodesRoster(nodeId, roster, ownerOf);
      else takeReplicasRoster(nodeId, roster, ownerOf);
      return true;
    },
    takeSlots(nodeId, { number, peers }, ownerOf, source = "node") {
      const figures = nodes.get(nodeId);
      if (!figures) return true; // its roster waits for a batch to be settled
      const held = new Set(figures.keys);
      if (number !== figures.number + 1 || peers.some((key) => held.has(key))) return false;
      if (new Set(peers).size !== peers.length) return false;
      figures.number = number;
      for (const key of peers) holdings.enter(figures, key, ownerOf);
      if (source === "node") for (const listener of listeners) listener.slots?.(figures, peers.length);
      return true;
    },
    takeReport(nodeId, report, source = "node") {
      const figures = nodes.get(nodeId);
      if (!figures || report.roster !== figures.number || report.ages.length !== figures.keys.length) return;
      const moreWithin = (bytesMax: number) => moreIn(figures, report, { bytesMax, isForeign });
      if (figures.isCounted && !isPossible(figures, source, moreWithin)) return;
      takeAges(figures, report, changes);
      if (figures.isCounted) takeUse(figures, report);
      figures.hasReport = true;
      figures.reportedAtMs = clock.now();
      connections.tell(figures);
      if (source === "node") for (const listener of listeners) listener.report?.(figures, report);
    },
    takeBatch(nodeId, frame, source = "node") {
      const figures = nodes.get(nodeId);
      const isWanted = figures?.isCounted && frame.roster === figures.number;
      if (!isWanted || frame.batch !== figures.batch + 1 || frame.received.length !== figures.keys.length)
        return;
      if (!isPossible(figures, source, (bytesMax) => moreInBatch(figures, frame, bytesMax))) return;
      takeUse(figures, furthest(figures, frame));
      figures.frozen = frame;
      batches.answered(nodeId);
      if (source === "node") for (const listener of listeners) listener.batch?.(figures, frame);
    },
    distrust,
  };
}
