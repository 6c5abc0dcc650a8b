import type { AgentFrame, PlaneFrame } from "@securewave/contracts/node-protocol";
import type { Static } from "typebox";
import type { ProvedNode } from "./authentication.ts";
import type { DesiredState } from "./desired-state.ts";
import type { PeerEntry, PeerSource } from "./peer-source.ts";
import { gathered } from "./turns.ts";

export type FrameOf<Type extends Static<typeof AgentFrame>["type"]> = Extract<
  Static<typeof AgentFrame>,
  { type: Type }
>;

export interface StateSyncOptions {
  readonly source: PeerSource;
  readonly state: DesiredState;
  /** Waits for one's turn where much is read. */
  readonly inTurn: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Whether the node can be told anything. */
  readonly isOpen: () => boolean;
  readonly tell: (frame: PlaneFrame) => void;
  /** Sees what was read before it is sent. */
  readonly onRead: (changes: readonly PeerEntry[]) => void;
  /** Before the peers that they are about: a device that is to be kept off must not be let in for a moment. */
  readonly tellLimits: () => void;
}

/** Holds a connected node to its desired state. */
export interface StateSync {
  appliedRevision(): number;
  /** Of the last state that it was sent; -1 while none was. */
  sentRevision(): number;
  /** Why it does not hold its state; undefined when it does. */
  fault(): string | undefined;
  /** Reads what is new, and then what the node is to be told before any peer is. */
  start(prepare: () => void): Promise<void>;
  /** Sends what changed since the last frame. Calls while one runs are gathered into one more. */
  pump(): Promise<void>;
  /** @returns false when it claims what it was never sent */
  takeApplied(frame: FrameOf<"applied">): boolean;
  /** The node asks for the whole. */
  resync(): void;
}

/** Past this a snapshot costs less than catching up. */
const CATCH_UP_CHANGES_MAX = 2_000;
/** A node that still differs after so many snapshots has a fault of its own. */
const SNAPSHOTS_MAX = 3;

export function createStateSync({ node, proof }: ProvedNode, options: StateSyncOptions): StateSync {
  const { source, state, inTurn, isOpen, tell, onRead, tellLimits } = options;
  let sentRevision = -1;
  let appliedRevision = 0;
  let snapshots = 0;
  let isSnapshotUnanswered = false;
  // Until it has said that it holds its state, a node may not even have an interface.
  let fault: string | undefined = "It is being brought to the state it should have.";
  let isStarted = false;

  /** The node holds another set than it should: it is sent the whole, which it applies as a difference. */
  function repair(): void {
    if (snapshots < SNAPSHOTS_MAX) sendSnapshot();
    else fault = "The node does not reach the state it should have. Restart its agent.";
  }

  function sendSnapshot(): void {
    snapshots++;
    isSnapshotUnanswered = true;
    tellLimits();
    sentRevision = state.revision();
    tell({ type: "snapshot", revision: sentRevision, peers: state.specs() });
  }

  async function readAfter(revision: number): Promise<PeerEntry[]> {
    const changes = await source.readChanges(node.id, revision);
    state.absorb(changes);
    onRead(changes);
    return changes;
  }

  async function sendChanges(): Promise<void> {
    const from = sentRevision;
    const changes = await readAfter(from);
    const last = changes.at(-1);
    if (!last || !isOpen()) return;
    sentRevision = last.revision;
    sendChange(from, changes);
  }

  function sendChange(from: number, changes: readonly PeerEntry[]): void {
    const upserts = changes.flatMap(({ spec }) => (spec ? [spec] : []));
    const removals = changes.flatMap(({ spec, publicKey }) => (spec ? [] : [publicKey]));
    tellLimits();
    tell({ type: "change", from, to: sentRevision, upserts, removals });
  }

  /** Brings a node that has just connected from what it says it holds to what it should hold. */
  async function bringUp(): Promise<void> {
    const { revision: held, hash } = proof;
    if (held === sentRevision && hash === state.peers.hash()) {
      appliedRevision = held;
      sendChange(held, []); // a change of nothing is answered like any other
      return;
    }
    const isBehind = held !== null && held >= node.pruned_revision && held < sentRevision;
    const missed = isBehind ? await readAfter(held) : [];
    if (!isBehind || missed.length > CATCH_UP_CHANGES_MAX) {
      sendSnapshot();
      return;
    }
    appliedRevision = held;
    sentRevision = missed.at(-1)?.revision ?? sentRevision;
    sendChange(held, missed);
  }

  const sendAllChanges = gathered(sendChanges);

  return {
    appliedRevision: () => appliedRevision,
    sentRevision: () => sentRevision,
    fault: () => fault,
    async pump() {
      if (isStarted) await sendAllChanges(); // `start` sends all
    },
    async start(prepare) {
      const read = () => readAfter(state.revision());
      await (state.revision() < 0 ? inTurn(read) : read());
      state.reach(node.revision);
      sentRevision = state.revision();
      if (!isOpen()) return;
      prepare();
      await bringUp();
      isStarted = true;
      await sendAllChanges();
    },
    takeApplied({ revision, hash, failed }) {
      if (revision > sentRevision) return false;
      appliedRevision = revision;
      isSnapshotUnanswered = false;
      fault =
        failed.length > 0 ? `${failed.length} devices could not be applied; see the agent's log.` : undefined;
      if (revision === sentRevision && revision === state.revision() && failed.length === 0) {
        if (hash === state.peers.hash()) snapshots = 0;
        else repair();
      }
      return true;
    },
    resync() {
      if (isStarted && !isSnapshotUnanswered) sendSnapshot();
    },
  };
}
