import { randomBytes } from "node:crypto";
import {
  decodeFigures,
  decodeHealth,
  decodeSettled,
  type HealthFrame,
} from "@securewave/contracts/node-frames";
import {
  AgentFrame,
  type InterfaceSpec,
  NODE_FRAME_BYTES_MAX,
  type PlaneFrame,
} from "@securewave/contracts/node-protocol";
import { invariant } from "@securewave/foundation";
import type { NodeChannel, Presence, Usage } from "@securewave/live";
import type { Static } from "typebox";
import type { WebSocket } from "ws";
import type { Logger } from "../../logger.ts";
import { type ProvedNode, parseJson, refuseNode, sendFrame } from "./authentication.ts";
import type { DesiredState } from "./desired-state.ts";
import { createFlow, type FlowLimits } from "./flow.ts";
import { createCheck } from "./frames.ts";
import { createLimits, type LimitSources } from "./limits.ts";
import type { PeerDirectory } from "./peer-directory.ts";
import type { PeerSource } from "./peer-source.ts";
import { createRenewing, type TakeCredential } from "./renewing.ts";
import { createStateSync, type FrameOf, type StateSyncOptions } from "./state-sync.ts";

export interface LinkOptions extends LimitSources {
  readonly peers: PeerSource;
  readonly presence: Presence;
  readonly usage: Usage;
  readonly directory: PeerDirectory;
  readonly tunnelInterface: Omit<InterfaceSpec, "listen_port">;
  readonly logger: Logger;
  /** Of the agent that is served here. */
  readonly agentVersion?: string;
  /** Hears how each node's machine is. */
  readonly health?: { take(nodeId: string, frame: HealthFrame): void };
  /** Makes a new credential the node's own, in place of the one that its connection was proved by. */
  readonly takeCredential?: TakeCredential;
  /** What a node may make this process do, when not as much as usual. */
  readonly flowLimits?: FlowLimits;
}

/** One connected node, held to its desired state. */
export interface NodeLink {
  /** Random; by which replicas tell connections of a node apart. */
  readonly id: string;
  readonly credential: string | null;
  /** Whether this connection was proved by what the registry knows the node by, or has just replaced it. */
  isKnownBy(registered: string | null): boolean;
  /** Has the agent make itself another credential, if it can. */
  renew(): void;
  readonly closed: Promise<void>;
  start(): Promise<void>;
  /** Sends what changed since the last frame. Calls while one runs are gathered into one more. */
  pump(): Promise<void>;
  /** Of the last state that it was sent. */
  sentRevision(): number;
  /** Sends the speeds of tiers when they are others than those sent. */
  tellSpeeds(): void;
  /** Sends the restrictions when they are others than those sent. */
  restrict(): void;
  ping(): void;
  /**
   * Another connection of the node has taken over: nothing that comes by this one counts any more.
   *
   * @returns whether somebody still answers here. A program that went on to another connection does not.
   */
  displace(): Promise<boolean>;
  close(reason: "replaced" | "stopping"): void;
  refuse(code: string, detail: string): void;
}

type Frame = Static<typeof AgentFrame>;

/** So long a displaced connection may take to answer. */
const DISPLACED_ANSWERS_WITHIN_MS = 2_000;
/** A node that lets so much wait is not reading what it is sent. */
const BACKLOG_BYTES_MAX = 2 * NODE_FRAME_BYTES_MAX;
const checkFrame = createCheck(AgentFrame);

export function createNodeLink(
  socket: WebSocket,
  proved: ProvedNode,
  state: DesiredState,
  options: LinkOptions & Pick<StateSyncOptions, "inTurn">,
): NodeLink {
  const { node, proof } = proved;
  const { presence, usage, directory, logger, tunnelInterface, inTurn } = options;
  let reportedProblem: string | undefined;
  let isStarted = false;
  let isDisplaced = false;
  let isAlive = true;

  const isOpen = () => socket.readyState === socket.OPEN && !isDisplaced;
  const limits = createLimits(node.id, options, tell);
  const sync = createStateSync(proved, {
    source: options.peers,
    state,
    inTurn,
    isOpen,
    tell,
    tellLimits: limits.tellRestrictions,
    onRead(changes) {
      directory.note(node.id, changes);
      for (const { publicKey, spec } of changes) if (!spec) usage.connections.forgetPeer(publicKey);
    },
  });
  const flow = createFlow({
    socket,
    onHeldBack: () =>
      logger.warn("node_misbehaved", { nodeId: node.id, internal: "sends more than is read at once" }),
    ...(options.flowLimits ? { limits: options.flowLimits } : {}),
  });
  const channel: NodeChannel = {
    close: (batch) => tell({ type: "close", batch }),
    settled: (incarnation, batch) => tell({ type: "settled", incarnation, batch }),
    recount: () => tell({ type: "recount" }),
  };
  const renewing = createRenewing({
    node,
    isAble: proof.agent_version === options.agentVersion,
    take: options.takeCredential,
    tell,
    onFailure: misbehaved,
  });
  const ownerOf = (publicKey: string) => directory.ownerOn(node.id, publicKey);
  const closed = new Promise<void>((resolve) => {
    socket.once("close", () => {
      flow.close();
      resolve();
    });
  });
  socket.on("pong", () => {
    isAlive = true;
  });
  socket.on("ping", (data: Buffer) => flow.take(data.length));
  socket.on("message", (data: Buffer, isBinary: boolean) => {
    isAlive = true;
    flow.take(data.length);
    if (!isOpen()) return; // replaced or refused: what it says counts no more
    if (isBinary ? receiveFigures(data) : receiveText(data)) return;
    misbehaved("sent a frame that the protocol does not have");
  });

  function tell(frame: PlaneFrame): void {
    if (!isOpen()) return;
    const bytes = sendFrame(socket, frame);
    if (frame.type === "snapshot") flow.take(bytes); // a node can ask for one
    if (socket.bufferedAmount <= BACKLOG_BYTES_MAX) return;
    logger.warn("node_misbehaved", { nodeId: node.id, internal: "does not read what it is sent" });
    socket.terminate();
  }

  function publish(): void {
    if (!isOpen()) return; // gone while its state was read
    const problem = sync.fault() ?? reportedProblem;
    const appliedRevision = sync.appliedRevision();
    presence.set(node.id, { appliedRevision, agentVersion: proof.agent_version, problem });
  }

  function refuse(code: string, detail: string): void {
    flow.close(); // reads on, so that the closing is answered
    refuseNode(socket, code, detail);
  }

  /** Ends the connection of a node that says what cannot be; it comes back and starts afresh. */
  function misbehaved(fact: string): void {
    logger.warn("node_misbehaved", { nodeId: node.id, internal: fact });
    refuse("nodes.bad_frame", `This node ${fact}.`);
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
    if (figures) return true;
    const health = decodeHealth(data);
    if (health) options.health?.take(node.id, health);
    return health !== undefined;
  }

  function receive(frame: Frame): void {
    switch (frame.type) {
      case "applied":
        if (sync.takeApplied(frame)) publish();
        else misbehaved("claims a revision that it was never sent");
        break;
      case "roster":
        receiveRoster(frame);
        break;
      case "slots":
        if (!usage.takeSlots(node.id, frame, ownerOf)) misbehaved("added slots that do not fit");
        break;
      case "condition":
        reportedProblem = frame.problem ?? undefined;
        publish();
        break;
      case "resync":
        sync.resync();
        break;
      case "credential":
        renewing.receive(frame);
        break;
      default:
        misbehaved("proved itself twice");
    }
  }

  function receiveRoster(frame: FrameOf<"roster">): void {
    const settled = decodeSettled(frame.settled, frame.peers.length);
    const isTaken = settled !== undefined && usage.takeRoster(node.id, { ...frame, settled }, ownerOf);
    if (!isTaken) misbehaved("sent a roster that is none");
    directory.keepOnly(node.id, new Set(frame.peers));
  }

  /** What a node is told before any peer. */
  function introduce(): void {
    invariant(node.endpoint_port !== null, "a joined node has an endpoint");
    usage.connect(node.id, channel);
    const { agentVersion } = options;
    if (agentVersion !== undefined) tell({ type: "release", agent_version: agentVersion });
    tell({ type: "interface", interface: { ...tunnelInterface, listen_port: node.endpoint_port } });
    limits.tellSpeeds();
  }

  return {
    id: randomBytes(12).toString("base64url"),
    get credential() {
      return renewing.credential();
    },
    isKnownBy: renewing.isKnownBy,
    renew() {
      if (isStarted) renewing.ask();
    },
    closed: closed.then(() => usage.disconnect(node.id, channel)),
    pump: sync.pump,
    sentRevision: sync.sentRevision,
    tellSpeeds() {
      if (isStarted) limits.tellSpeeds();
    },
    restrict() {
      if (isStarted) limits.tellRestrictions();
    },
    async start() {
      await sync.start(introduce);
      isStarted = true;
      publish();
      if (node.is_credential_due) renewing.ask();
    },
    ping() {
      if (!isAlive) return socket.terminate();
      isAlive = false;
      socket.ping();
    },
    displace() {
      isDisplaced = true;
      if (socket.readyState !== socket.OPEN) return Promise.resolve(false);
      const sent = randomBytes(8);
      return new Promise((resolve) => {
        const answer = (data: Buffer) => data.equals(sent) && resolve(true);
        const timer = setTimeout(() => resolve(false), DISPLACED_ANSWERS_WITHIN_MS);
        socket.on("pong", answer).once("close", () => {
          clearTimeout(timer);
          resolve(false);
        });
        socket.ping(sent);
      });
    },
    close(reason) {
      flow.close();
      socket.close(reason === "stopping" ? 1001 : 1008, reason);
    },
    refuse,
  };
}
