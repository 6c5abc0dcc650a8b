import type { Clock } from "@securewave/foundation";
import { createBatches, type NodeChannel } from "./batches.ts";
import { type Connections, createConnections } from "./connections.ts";
import { type Changes, endSessions, type Figures, NOBODY, ownerAt } from "./figures.ts";
import { createGathering } from "./gathering.ts";
import { createHoldings } from "./holdings.ts";
import { createIntake, type Intake, type MonthOfUse, type UsageListener } from "./intake.ts";
import { createLine } from "./line.ts";
import type { ClosedBatch, Mark } from "./settling.ts";
import { createTrust, type Doubt } from "./trust.ts";

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
export interface Usage extends Intake {
  readonly connections: Connections;
  /** From here on the node is told by this channel. */
  connect(nodeId: string, channel: NodeChannel): void;
  /** The channel is gone: nobody is connected there, and what was used stands. */
  disconnect(nodeId: string, channel: NodeChannel): void;
  figuresOf(nodeId: string): Figures | undefined;
  ownerIn(figures: Figures, slot: number): string | undefined;
  /** Asks a node for a batch that another replica closes. */
  askBatch(nodeId: string, batch: number): void;
  /** Another replica has a batch in the ledger. */
  settledElsewhere(nodeId: string, incarnation: string, batch: number): void;
  /** The node is no more; what was used there stands until it is settled. */
  forgetNode(nodeId: string): void;

  /** Another replica, which has the node, trusts it. */
  believe(nodeId: string): void;
  distrusted(): ReadonlyMap<string, Doubt>;

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
const CLOSE_WAIT_MS = 5000;

export function createUsage(options: UsageOptions): Usage {
  const { clock, lineGbitPerSecond = LINE_GBIT_PER_SECOND, steadyMs = () => performance.now() } = options;
  const line = createLine(lineGbitPerSecond, steadyMs);
  const holdings = createHoldings((figures) => {
    endSessions(figures, changes);
    connections.tell(figures);
  });
  const { accounts, places, nodes } = holdings;
  const channels = new Map<string, NodeChannel>();
  const trust = createTrust((nodeId) => {
    for (const listener of listeners) listener.trusted?.(nodeId);
  });
  const used = createGathering(accounts.idOf);
  const connected = createGathering(accounts.idOf);
  const listeners = new Set<UsageListener>();
  let month: MonthOfUse | undefined;

  const changes: Changes = {
    used(owner, bytes) {
      accounts.add(owner, bytes);
      used.add(owner);
    },
    connected: connected.add,
  };
  const batches = createBatches({ holdings, channels, changes });
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

  const intake = createIntake({
    clock,
    line,
    holdings,
    channels,
    connections,
    batches,
    trust,
    changes,
    listeners,
    month: () => month,
  });

  return {
    ...intake,
    connections,
    connect(nodeId, channel) {
      channels.set(nodeId, channel);
    },
    disconnect(nodeId, channel) {
      if (channels.get(nodeId) !== channel) return;
      channels.delete(nodeId);
      batches.answered(nodeId);
      const figures = nodes.get(nodeId);
      if (!figures) return;
      endSessions(figures, changes);
      connections.tell(figures);
    },
    figuresOf: (nodeId) => nodes.get(nodeId),
    ownerIn: ({ owners }, slot) => accounts.idOf(ownerAt(owners, slot)),
    askBatch: (nodeId, batch) => channels.get(nodeId)?.close(batch),
    settledElsewhere: batches.settledElsewhere,
    forgetNode(nodeId) {
      holdings.forgetNode(nodeId);
      trust.regain(nodeId);
      batches.answered(nodeId);
    },

    believe: trust.regain,
    distrusted: trust.lost,

    unsettledOf(accountId) {
      const number = accounts.find(accountId);
      return number === undefined ? 0 : accounts.bytesOf(number);
    },
    forEachUnsettled: accounts.forEach,
    closeBatch: (waitMs = CLOSE_WAIT_MS) => batches.close(waitMs),
    useMarks: batches.useMarks,
    useMonth(source) {
      month = source;
    },
    marksChanged: batches.marksChanged,

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
