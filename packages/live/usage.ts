import type { BatchFrame, ReportFrame, Totals } from "@securewave/contracts/node-frames";
import { type Clock, invariant } from "@securewave/foundation";
import { type Connections, createConnections } from "./connections.ts";
import {
  at,
  type Changes,
  endSessions,
  type Figures,
  type Impossible,
  moreIn,
  NOBODY,
  ownerAt,
  takeAges,
  takeTotals,
  unsettledIn,
} from "./figures.ts";
import { createGathering } from "./gathering.ts";
import { createHoldings, type OwnerOf } from "./holdings.ts";
import { impossibleRoster, type NodeRoster, rosterOf } from "./rosters.ts";
import { type ClosedBatch, closingOf, furthest, type Mark, moreInBatch, type NodePart } from "./settling.ts";

/** What a node can be told. */
export interface NodeChannel {
  close(batch: number): void;
  settled(incarnation: string, batch: number): void;
  recount(): void;
}

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

export interface UsageOptions {
  readonly clock: Clock;
  /** Of a node's line, in each direction; what says more than it can carry is not believed. */
  readonly lineGbitPerSecond?: number;
  /** Milliseconds of a clock that is never set. */
  readonly steadyMs?: () => number;
}

/**
 * What devices use at this moment and who is connected, from the reports of nodes; in memory only (ZERO-LOG R8).
 *
 * A node's totals never go backwards within an incarnation and say what of them was settled, so what is unsettled is
 * their difference, however often reports are lost, repeated or begun anew.
 */
export interface Usage {
  readonly connections: Connections;
  /** From here on the node is told by this channel. */
  connect(nodeId: string, channel: NodeChannel): void;
  /** The channel is gone: nobody is connected there, and what was used stands. */
  disconnect(nodeId: string, channel: NodeChannel): void;
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
  figuresOf(nodeId: string): Figures | undefined;
  ownerIn(figures: Figures, slot: number): string | undefined;
  /** Asks a node for a batch that another replica closes. */
  askBatch(nodeId: string, batch: number): void;
  /** Another replica has a batch in the ledger. */
  settledElsewhere(nodeId: string, incarnation: string, batch: number): void;
  /** The node is no more; what was used there stands until it is settled. */
  forgetNode(nodeId: string): void;

  /** @param isLifted it is to begin anew; then its figures count again */
  distrust(nodeId: string, why: Impossible | "earlier", isLifted: boolean): void;
  /** Another replica, which has the node, trusts it. */
  believe(nodeId: string): void;
  distrusted(): ReadonlyMap<string, Impossible | "earlier">;

  unsettledOf(accountId: string): number;
  forEachUnsettled(each: (accountId: string, bytes: number) => void): void;
  /** Freezes a batch on every node that answers within the time. One at a time. */
  closeBatch(waitMs?: number): Promise<ClosedBatch>;
  /** Up to which batch the ledger has each node's figures. */
  useMarks(markOf: (nodeId: string) => Mark | undefined): void;
  /** Who tells bytes of this month from earlier ones that a node kept while nobody heard it. */
  useMonth(month: MonthOfUse): void;
  /** The ledger was written by another replica. */
  marksChanged(): void;

  onUsed(changed: (accountIds: Iterable<string>) => void): () => void;
  onConnected(changed: (accountIds: Iterable<string>) => void): () => void;
  connectedKeysOf(accountId: string): Iterable<string>;
  listen(listener: UsageListener): void;
  /** Tells at once what is told once a second. */
  flush(): void;
}

const LINE_GBIT_PER_SECOND = 100;
const BYTES_PER_GBIT = 1e9 / 8;
/** Reports that waited in a queue arrive together. */
const LATE_MS = 30_000;
const CLOSE_WAIT_MS = 5000;

interface Distrust {
  why: Impossible | "earlier";
  incarnation: string | undefined;
  isLifted: boolean;
}

export function createUsage(options: UsageOptions): Usage {
  const { clock, steadyMs = () => performance.now() } = options;
  const bytesPerMs = ((options.lineGbitPerSecond ?? LINE_GBIT_PER_SECOND) * BYTES_PER_GBIT) / 1000;
  const holdings = createHoldings((figures) => {
    endSessions(figures, changes);
    connections.tell(figures);
  });
  const { accounts, places, nodes, install } = holdings;
  const channels = new Map<string, NodeChannel>();
  const distrusted = new Map<string, Distrust>();
  const used = createGathering(accounts.idOf);
  const connected = createGathering(accounts.idOf);
  const waiting = new Map<string, () => void>();
  const listeners = new Set<UsageListener>();
  let isClosing = false;
  let markOf: (nodeId: string) => Mark | undefined = () => undefined;
  let month: MonthOfUse | undefined;

  const changes: Changes = {
    used(owner, bytes) {
      accounts.add(owner, bytes);
      used.add(owner);
    },
    connected: connected.add,
  };
  const connections = createConnections({
    clock,
    places,
    figuresOf: (nodeId) => nodes.get(nodeId),
    all: () => nodes.values(),
    ended({ figures, slot }) {
      const owner = ownerAt(figures.owners, slot);
      if (owner !== NOBODY) connected.add(owner);
    },
  });

  /** Ends the node's say: what it had counted stands, what it counts from here on does not. */
  function distrust(nodeId: string, why: Impossible | "earlier", isLifted: boolean): void {
    const held = nodes.get(nodeId);
    const already = distrusted.get(nodeId);
    if (already?.isLifted === isLifted) return;
    distrusted.set(nodeId, {
      why: already?.why ?? why,
      incarnation: already?.incarnation ?? held?.incarnation,
      isLifted,
    });
    if (held?.isCounted) {
      const roster = rosterOf(held);
      const owners = new Map(held.keys.map((key, slot) => [key, accounts.idOf(held.owners[slot] ?? NOBODY)]));
      install(nodeId, roster, (key) => owners.get(key), false);
      finishWaiting(nodeId);
    }
    if (isLifted) channels.get(nodeId)?.recount();
  }

  function finishWaiting(nodeId: string): void {
    waiting.get(nodeId)?.();
    waiting.delete(nodeId);
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

  /** @returns whether the node's figures may count */
  function isTrusted(nodeId: string, incarnation: string): boolean {
    const doubt = distrusted.get(nodeId);
    if (!doubt) return true;
    doubt.incarnation ??= incarnation;
    if (!doubt.isLifted) return false;
    if (doubt.incarnation === incarnation) return false;
    distrusted.delete(nodeId);
    for (const listener of listeners) listener.trusted?.(nodeId);
    return true;
  }

  /** @returns the batch that the ledger has and this roster does not know of */
  function missedBatch(incarnation: string, batch: number, nodeId: string): number | undefined {
    const mark = markOf(nodeId);
    const held = nodes.get(nodeId);
    const inLedger = mark?.incarnation === incarnation ? mark.batch : 0;
    const here = held?.incarnation === incarnation && held.isCounted ? held.batch : 0;
    const known = Math.max(inLedger, here);
    return known > batch ? known : undefined;
  }

  function takeUse(figures: Figures, totals: Totals): void {
    const { nodeId, hasReport, reportedAtMs } = figures;
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

  /** What the line can have carried since the last report. What was not used of it is no credit for later. */
  function bytesMaxOf({ steadyAtMs, spareBytes }: Figures, source: Source): number {
    if (steadyAtMs === undefined || source === "replica") return Number.POSITIVE_INFINITY;
    return bytesPerMs * Math.max(0, steadyMs() - steadyAtMs) + spareBytes;
  }

  function spend(figures: Figures, bytesMax: number, bytes: number): void {
    figures.steadyAtMs = steadyMs();
    figures.spareBytes = Math.min(bytesPerMs * LATE_MS, bytesMax - bytes);
  }

  const isForeign = (publicKey: string) => places.of(publicKey).length > 0;

  function takeNodesRoster(nodeId: string, roster: NodeRoster, ownerOf: OwnerOf): void {
    if (!isTrusted(nodeId, roster.incarnation)) {
      install(nodeId, roster, ownerOf, false);
      if (distrusted.get(nodeId)?.isLifted) channels.get(nodeId)?.recount();
      return;
    }
    if (isSettledFirst(nodeId, roster)) return;
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
    const isCounted = isTrusted(nodeId, roster.incarnation);
    if (!isCounted || !isSettledFirst(nodeId, roster)) install(nodeId, roster, ownerOf, isCounted);
  }

  /** Has a batch settled that the ledger has and this roster does not know of; until then it does not count. */
  function isSettledFirst(nodeId: string, { incarnation, batch }: NodeRoster): boolean {
    const missed = missedBatch(incarnation, batch, nodeId);
    if (missed === undefined) return false;
    const held = nodes.get(nodeId);
    if (held?.incarnation === incarnation && held.batch < missed) catchUp(held, missed);
    else channels.get(nodeId)?.settled(incarnation, missed);
    return true;
  }

  function settle(part: NodePart): void {
    if (holdings.settlePart(part)) channels.get(part.nodeId)?.settled(part.incarnation, part.batch);
  }

  /** Brings a node to a batch that the ledger got from another replica. */
  function catchUp(figures: Figures, batch: number): void {
    const { frozen, nodeId, incarnation } = figures;
    if (frozen?.batch === batch && figures.batch === batch - 1) {
      settle(closingOf(figures, frozen));
      return;
    }
    // What was settled is not known here: nothing counts twice if nothing counts until the node says it.
    for (let slot = 0; slot < figures.keys.length; slot++) {
      const owner = ownerAt(figures.owners, slot);
      holdings.count(owner, -unsettledIn(figures, slot));
    }
    nodes.delete(nodeId);
    endSessions(figures, changes);
    holdings.clear(figures);
    channels.get(nodeId)?.settled(incarnation, batch);
  }

  async function close(waitMs: number): Promise<ClosedBatch> {
    const asked: Promise<void>[] = [];
    for (const [nodeId, channel] of channels) {
      const figures = nodes.get(nodeId);
      if (!figures?.isCounted) continue;
      asked.push(new Promise((resolve) => waiting.set(nodeId, resolve)));
      channel.close(figures.batch + 1);
    }
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, waitMs);
    });
    await Promise.race([Promise.all(asked), over]);
    clearTimeout(timer);
    waiting.clear();
    const parts: NodePart[] = [];
    for (const figures of nodes.values()) {
      const { frozen } = figures;
      if (figures.isCounted && frozen?.batch === figures.batch + 1) parts.push(closingOf(figures, frozen));
    }
    return batchOf(parts, holdings.left());
  }

  function batchOf(parts: readonly NodePart[], leftThen: ReadonlyMap<number, number>): ClosedBatch {
    const wholeOf = (bytes: number) => Math.floor(bytes / 2 ** 20) * 2 ** 20;
    const done = () => {
      invariant(isClosing, "a batch is settled or abandoned once");
      isClosing = false;
    };
    return {
      forEachSettled(each) {
        const tell = (owner: number, bytes: number) => {
          const id = accounts.idOf(owner);
          if (id !== undefined && bytes > 0) each(id, bytes);
        };
        for (const { owners, settled } of parts) {
          for (const [index, owner] of owners.entries()) {
            tell(owner, at(settled.received, index) + at(settled.sent, index));
          }
        }
        for (const [owner, bytes] of leftThen) tell(owner, wholeOf(bytes));
      },
      marks: parts.map(({ nodeId, incarnation, batch }) => ({ nodeId, incarnation, batch })),
      settled() {
        done();
        for (const [owner, bytes] of leftThen) holdings.takeFromLeft(owner, wholeOf(bytes));
        for (const part of parts) settle(part);
      },
      abandon: done,
    };
  }

  return {
    connections,
    connect(nodeId, channel) {
      channels.set(nodeId, channel);
    },
    disconnect(nodeId, channel) {
      if (channels.get(nodeId) !== channel) return;
      channels.delete(nodeId);
      finishWaiting(nodeId);
      const figures = nodes.get(nodeId);
      if (!figures) return;
      endSessions(figures, changes);
      connections.tell(figures);
    },
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
      if (figures.isCounted) {
        const bytesMax = bytesMaxOf(figures, source);
        const more = moreIn(figures, report, { bytesMax, isForeign });
        if (typeof more === "string") return refuse(nodeId, more, source);
        spend(figures, bytesMax, more);
      }
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
      const bytesMax = bytesMaxOf(figures, source);
      const more = moreInBatch(figures, frame, bytesMax);
      if (typeof more === "string") return refuse(nodeId, more, source);
      spend(figures, bytesMax, more);
      takeUse(figures, furthest(figures, frame));
      figures.frozen = frame;
      finishWaiting(nodeId);
      if (source === "node") for (const listener of listeners) listener.batch?.(figures, frame);
    },
    figuresOf: (nodeId) => nodes.get(nodeId),
    ownerIn: ({ owners }, slot) => accounts.idOf(ownerAt(owners, slot)),
    askBatch: (nodeId, batch) => channels.get(nodeId)?.close(batch),
    settledElsewhere(nodeId, incarnation, batch) {
      const figures = nodes.get(nodeId);
      const isBehind = figures?.isCounted && figures.incarnation === incarnation && figures.batch < batch;
      if (isBehind) catchUp(figures, batch);
    },
    forgetNode(nodeId) {
      holdings.forgetNode(nodeId);
      distrusted.delete(nodeId);
      finishWaiting(nodeId);
    },

    distrust,
    believe: (nodeId) => void distrusted.delete(nodeId),
    distrusted: () => new Map(Array.from(distrusted, ([nodeId, { why }]) => [nodeId, why])),

    unsettledOf(accountId) {
      const number = accounts.find(accountId);
      return number === undefined ? 0 : accounts.bytesOf(number);
    },
    forEachUnsettled: accounts.forEach,
    closeBatch(waitMs = CLOSE_WAIT_MS) {
      invariant(!isClosing, "one batch is closed at a time");
      isClosing = true;
      return close(waitMs);
    },
    useMarks(source) {
      markOf = source;
    },
    useMonth(source) {
      month = source;
    },
    marksChanged() {
      for (const figures of [...nodes.values()]) {
        const { nodeId, incarnation, batch, isCounted } = figures;
        const missed = isCounted ? missedBatch(incarnation, batch, nodeId) : undefined;
        if (missed === undefined) continue;
        catchUp(figures, missed);
      }
      for (const [owner, bytes] of holdings.left()) holdings.takeFromLeft(owner, bytes);
    },

    onUsed: used.subscribe,
    onConnected: connected.subscribe,
    *connectedKeysOf(accountId) {
      const number = accounts.find(accountId);
      if (number === undefined) return;
      for (const key of new Set(accounts.keysOf(number))) if (connections.stateOf(key).isConnected) yield key;
    },
    listen(listener) {
      listeners.add(listener);
    },
    flush() {
      used.flush();
      connected.flush();
    },
  };
}
