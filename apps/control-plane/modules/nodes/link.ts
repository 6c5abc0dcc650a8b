import { decodeFigures, decodeSettled } from "@securewave/contracts/node-frames";
import {
  AgentFrame,
  type InterfaceSpec,
  type PeerSpec,
  type PlaneFrame,
  type RestrictedPeer,
} from "@securewave/contracts/node-protocol";
import { invariant } from "@securewave/foundation";
import type { NodeChannel, Presence, Usage } from "@securewave/live";
import type { Peer } from "@securewave/wireguard";
import type { Static } from "typebox";
import type { WebSocket } from "ws";
import type { Logger } from "../../logger.ts";
import { type ProvedNode, parseJson, sendFrame } from "./authentication.ts";
import type { DesiredState } from "./desired-state.ts";
import { createCheck } from "./frames.ts";
import type { PeerDirectory } from "./peer-directory.ts";
import type { PeerEntry, PeerSource } from "./peer-source.ts";

export interface LinkOptions {
  readonly peers: PeerSource;
  readonly presence: Presence;
  readonly usage: Usage;
  readonly directory: PeerDirectory;
  /** Which devices are kept off, or slowed down; without it none is. */
  readonly restrictions?: {
    /** The whole list of a node. */
    listFor(nodeId: string): readonly RestrictedPeer[];
    /** Hears of nodes whose list may have changed. */
    subscribe(changed: (nodeId: string) => void): () => void;
  };
  readonly tunnelInterface: Omit<InterfaceSpec, "listen_port">;
  readonly logger: Logger;
}

/** One connected node, held to its desired state. */
export interface NodeLink {
  readonly credential: string | null;
  readonly closed: Promise<void>;
  start(): Promise<void>;
  /** Sends what changed since the last frame. Calls while one runs are gathered into one more. */
  pump(): Promise<void>;
  /** Sends the restrictions when they are others than those sent. */
  restrict(): void;
  ping(): void;
  close(reason: "replaced" | "stopping" | "misbehaved"): void;
}

type Frame = Static<typeof AgentFrame>;
type FrameOf<Type extends Frame["type"]> = Extract<Frame, { type: Type }>;

/** Past this a snapshot costs less than catching up. */
const CATCH_UP_CHANGES_MAX = 2_000;
/** A node that still differs after so many snapshots has a fault of its own. */
const SNAPSHOTS_MAX = 3;
const checkFrame = createCheck(AgentFrame);

export function createNodeLink(
  socket: WebSocket,
  { node, proof }: ProvedNode,
  state: DesiredState,
  options: LinkOptions,
): NodeLink {
  const { peers: source, presence, usage, directory, restrictions, logger, tunnelInterface } = options;
  let sentRevision = -1;
  let appliedRevision = 0;
  let snapshots = 0;
  let isSnapshotUnanswered = false;
  // Until it has said that it holds its state, a node may not even have an interface.
  let fault: string | undefined = "It is being brought to the state it should have.";
  let reportedProblem: string | undefined;
  let pumping: Promise<void> | undefined;
  let isDirty = false;
  let isStarted = false;
  let isAlive = true;
  let restrictNumber = 0;
  let sentRestrictions: string | undefined;

  const channel: NodeChannel = {
    close: (batch) => tell({ type: "close", batch }),
    settled: (incarnation, batch) => tell({ type: "settled", incarnation, batch }),
    recount: () => tell({ type: "recount" }),
  };
  const ownerOf = (publicKey: string) => directory.ownerOn(node.id, publicKey);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("pong", () => {
    isAlive = true;
  });
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    isAlive = true;
    if (socket.readyState !== socket.OPEN) return; // replaced or refused: what it says counts no more
    if (isBinary ? receiveFigures(data) : receiveText(data)) return;
    refuse("sent a frame that the protocol does not have");
  });

  function tell(frame: PlaneFrame): void {
    if (socket.readyState === socket.OPEN) sendFrame(socket, frame);
  }

  function publish(): void {
    if (socket.readyState !== socket.OPEN) return; // gone while its state was read
    const problem = fault ?? reportedProblem;
    presence.set(node.id, { appliedRevision, agentVersion: proof.agent_version, problem });
  }

  /** Ends the connection of a node that says what cannot be; it comes back and starts afresh. */
  function refuse(fact: string): void {
    logger.warn("node_misbehaved", { nodeId: node.id, internal: fact });
    sendFrame(socket, { type: "refused", code: "nodes.bad_frame", detail: `This node ${fact}.` });
    socket.close(1008, "nodes.bad_frame");
  }

  function receiveText(data: Buffer): boolean {
    const frame = parseJson(data);
    if (!checkFrame(frame)) return false;
    receive(frame);
    return true;
  }

  function receiveFigures(data: Buffer): boolean {
    const figures = decodeFigures(data);
    if (figures?.kind === "report") usage.takeReport(node.id, figures);
    if (figures?.kind === "batch") usage.takeBatch(node.id, figures);
    return figures !== undefined;
  }

  function receive(frame: Frame): void {
    switch (frame.type) {
      case "applied":
        receiveApplied(frame);
        break;
      case "roster":
        receiveRoster(frame);
        break;
      case "slots":
        if (!usage.takeSlots(node.id, frame, ownerOf)) refuse("added slots that do not fit");
        break;
      case "condition":
        reportedProblem = frame.problem ?? undefined;
        publish();
        break;
      case "resync":
        if (!isSnapshotUnanswered) sendSnapshot();
        break;
      default:
        refuse("proved itself twice");
    }
  }

  function receiveApplied({ revision, hash, failed }: FrameOf<"applied">): void {
    if (revision > sentRevision) {
      refuse("claims a revision that it was never sent");
      return;
    }
    appliedRevision = revision;
    isSnapshotUnanswered = false;
    fault =
      failed.length > 0 ? `${failed.length} devices could not be applied; see the agent's log.` : undefined;
    if (revision === sentRevision && revision === state.revision() && failed.length === 0) {
      if (hash === state.peers.hash()) snapshots = 0;
      else repair();
    }
    publish();
  }

  /** The node holds another set than it should: it is sent the whole, which it applies as a difference. */
  function repair(): void {
    if (snapshots < SNAPSHOTS_MAX) sendSnapshot();
    else fault = "The node does not reach the state it should have. Restart its agent.";
  }

  function receiveRoster(frame: FrameOf<"roster">): void {
    const settled = decodeSettled(frame.settled, frame.peers.length);
    const isTaken = settled !== undefined && usage.takeRoster(node.id, { ...frame, settled }, ownerOf);
    if (!isTaken) refuse("sent a roster that is none");
    directory.keepOnly(node.id, new Set(frame.peers));
  }

  function sendSnapshot(): void {
    snapshots++;
    isSnapshotUnanswered = true;
    restrict();
    sentRevision = state.revision();
    sendFrame(socket, { type: "snapshot", revision: sentRevision, peers: Array.from(state.peers, specOf) });
  }

  async function readAfter(revision: number): Promise<PeerEntry[]> {
    const changes = await source.readChanges(node.id, revision);
    state.absorb(changes);
    directory.note(node.id, changes);
    for (const { publicKey, spec } of changes) if (!spec) usage.connections.forgetPeer(publicKey);
    return changes;
  }

  async function sendChanges(): Promise<void> {
    const from = sentRevision;
    const changes = await readAfter(from);
    const last = changes.at(-1);
    if (!last || socket.readyState !== socket.OPEN) return;
    sentRevision = last.revision;
    sendChange(from, changes);
  }

  /** Before the peers that it is about: a device that is to be kept off must not be let in for a moment. */
  function restrict(): void {
    if (socket.readyState !== socket.OPEN) return;
    const peers = [...(restrictions?.listFor(node.id) ?? [])];
    const text = JSON.stringify(peers);
    if (text === sentRestrictions) return;
    sentRestrictions = text;
    sendFrame(socket, { type: "restrict", number: ++restrictNumber, peers });
  }

  function sendChange(from: number, changes: readonly PeerEntry[]): void {
    const upserts = changes.flatMap(({ spec }) => (spec ? [spec] : []));
    const removals = changes.flatMap(({ spec, publicKey }) => (spec ? [] : [publicKey]));
    restrict();
    sendFrame(socket, { type: "change", from, to: sentRevision, upserts, removals });
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

  async function pump(): Promise<void> {
    if (!isStarted) return; // `start` sends all
    isDirty = true;
    pumping ??= (async () => {
      while (isDirty) {
        isDirty = false;
        await sendChanges();
      }
    })().finally(() => {
      pumping = undefined;
    });
    return pumping;
  }

  return {
    credential: node.credential,
    closed: closed.then(() => usage.disconnect(node.id, channel)),
    pump,
    restrict() {
      if (isStarted) restrict();
    },
    async start() {
      await readAfter(state.revision());
      state.reach(node.revision);
      sentRevision = state.revision();
      invariant(node.endpoint_port !== null, "a joined node has an endpoint");
      const listen_port = node.endpoint_port;
      if (socket.readyState !== socket.OPEN) return;
      usage.connect(node.id, channel);
      sendFrame(socket, { type: "interface", interface: { ...tunnelInterface, listen_port } });
      await bringUp();
      isStarted = true;
      publish();
      await pump();
    },
    ping() {
      if (!isAlive) return socket.terminate();
      isAlive = false;
      socket.ping();
    },
    close(reason) {
      socket.close(reason === "stopping" ? 1001 : 1008, reason);
    },
  };
}

function specOf({ publicKey, presharedKey, allowedIps }: Peer): PeerSpec {
  return { public_key: publicKey, preshared_key: presharedKey ?? null, allowed_ips: [...allowedIps] };
}
