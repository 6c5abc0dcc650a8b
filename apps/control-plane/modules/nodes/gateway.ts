import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { NODE_FRAME_BYTES_MAX, REFUSALS } from "@securewave/contracts/node-protocol";
import type { Database } from "@securewave/database";
import type { Peer } from "@securewave/wireguard";
import { type WebSocket, WebSocketServer } from "ws";
import type { Bus } from "../../bus.ts";
import { describeError } from "../../logger.ts";
import type { ServiceKey } from "../service-keys/index.ts";
import { authenticateNode, CLONED, REMOVED } from "./authentication.ts";
import type { Cloning } from "./cloning.ts";
import { createDesiredState, type DesiredState } from "./desired-state.ts";
import { createNodeLink, type LinkOptions, type NodeLink } from "./link.ts";
import type { NodeRow } from "./node.ts";
import type { OutdatedAgents } from "./outdated-agents.ts";
import { findNode, listNodesOf } from "./store.ts";
import { createTurns, gathered } from "./turns.ts";

export interface GatewayOptions extends LinkOptions {
  readonly database: Database;
  readonly bus: Bus;
  readonly identity: ServiceKey;
  readonly cloning: Cloning;
  readonly outdated: Pick<OutdatedAgents, "note" | "forget">;
  /** Peers of a node that are in no table. */
  readonly alwaysThere?: (nodeId: string) => readonly Peer[];
}

/** Where nodes connect, each by one WebSocket. */
export interface Gateway {
  /** Takes over an HTTP upgrade. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): void;
}

/** A change whose message was lost is found after so long. */
const RECHECK_MS = 30_000;
const PING_MS = 15_000;
/** A hello and a proof are a few hundred bytes; who has not proved himself may not make us hold more. */
const UNPROVED_BYTES_MAX = 16_384;
/** Connections that have not proved themselves, at once: more than there are nodes that come back together. */
const UNPROVED_MAX = 2_000;
/** So many nodes' peers are read at once after a start; others' changes and requests find connections left. */
const READING_MAX = 4;
/** So long a node may take to answer that the connection closes. */
const CLOSING_MS = 500;

export function createGateway(options: GatewayOptions): Gateway {
  const { database, bus, presence, usage, directory, identity, logger, cloning, outdated } = options;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: NODE_FRAME_BYTES_MAX,
    perMessageDeflate: false,
  });
  const links = new Map<string, NodeLink>();
  const unproved = new Set<WebSocket>();
  const states = new Map<string, DesiredState>();
  /** Links that every process has been told of, in the order in which it heard of them. */
  const announced = new WeakSet<NodeLink>();
  const inTurn = createTurns(READING_MAX);

  /** What is kept of a node's state serves unless removals that it has not seen are forgotten. */
  function stateFor({ id, pruned_revision }: NodeRow): DesiredState {
    const kept = states.get(id);
    if (kept && kept.revision() >= pruned_revision) return kept;
    const state = createDesiredState(options.alwaysThere?.(id));
    states.set(id, state);
    return state;
  }

  async function serve(socket: WebSocket, raw: Duplex): Promise<void> {
    const lift = limitBytes(raw, UNPROVED_BYTES_MAX);
    unproved.add(socket);
    const [oldest] = unproved;
    if (unproved.size > UNPROVED_MAX) oldest?.terminate(); // a node proves itself within a moment
    const proved = await authenticateNode(socket, {
      identity,
      findNode: (nodeId) => findNode(database.db, nodeId),
      onOtherProtocol: outdated.note,
    }).finally(() => unproved.delete(socket));
    lift();
    if (!proved || socket.readyState !== socket.OPEN) return;
    const { node } = proved;
    noteTrust(node);
    outdated.forget(node.id);
    const former = links.get(node.id);
    if (former) displace(node.id, former);
    const link = createNodeLink(socket, proved, stateFor(node), { ...options, inTurn });
    links.set(node.id, link);
    bus.publish("node-connected", `${node.id}/${link.id}`);
    logger.info("node_connected", { nodeId: node.id });
    link.closed.then(() => leave(node.id, link));
    await link.start();
  }

  function leave(nodeId: string, link: NodeLink): void {
    if (links.get(nodeId) !== link) return; // a newer connection of the same node took over
    links.delete(nodeId);
    presence.remove(nodeId);
    logger.info("node_disconnected", { nodeId });
  }

  /** Another connection of the node is its connection from here on, here or at another replica. */
  function displace(nodeId: string, link: NodeLink): void {
    const { credential } = link;
    const settle = async () => {
      const isCopied = (await link.displace()) && credential !== null;
      if (isCopied && (await cloning.displaced(nodeId, credential))) link.refuse(REFUSALS.cloned, CLONED);
      else link.close("replaced");
    };
    database.as("ingress", settle).catch((error: unknown) => {
      report(nodeId)(error);
      link.close("replaced");
    });
  }

  /** All processes hear in one order who connected where, so each knows which of two connections is the later one. */
  function hearConnected(message: string): void {
    const [nodeId = "", linkId] = message.split("/");
    const link = links.get(nodeId);
    if (!link) return;
    if (link.id === linkId) {
      announced.add(link);
    } else if (announced.has(link)) {
      leave(nodeId, link);
      displace(nodeId, link);
    }
  }

  /** What staff decided about a node's figures, here or at another replica. */
  function noteTrust({ id, counting }: NodeRow): void {
    if (counting === "lifted") usage.distrust(id, "earlier", true);
    else if (counting === "quarantined" && !usage.distrusted().has(id)) usage.distrust(id, "earlier", false);
  }

  const recheck = gathered(async () => {
    if (links.size === 0) return;
    const rows = await listNodesOf(database.db, [...links.keys()]);
    const nodes = new Map(rows.map((node) => [node.id, node]));
    for (const [nodeId, link] of links) {
      const node = nodes.get(nodeId);
      if (!node || !link.isKnownBy(node.credential)) {
        await dismiss(nodeId, link);
        continue;
      }
      noteTrust(node);
      if (node.is_credential_due) link.renew();
      if (node.revision > link.sentRevision()) link.pump().catch(report(nodeId));
    }
  });

  /** Ends the connection of a node that was removed, or whose credential is another or none. */
  async function dismiss(nodeId: string, link: NodeLink): Promise<void> {
    const node = await findNode(database.db, nodeId);
    if (!node || node.removed_on !== null) forget(nodeId);
    if (node && node.removed_on !== null) link.refuse(REFUSALS.removed, REMOVED);
    else if (node?.credential === null && node.cloned_on !== null) link.refuse(REFUSALS.cloned, CLONED);
    else if (!node || !link.isKnownBy(node.credential)) link.close("replaced");
  }

  function forget(nodeId: string): void {
    states.delete(nodeId);
    directory.forgetNode(nodeId);
    usage.forgetNode(nodeId);
  }

  function recheckAll(): void {
    database.as("ingress", recheck).catch(report());
  }

  function report(nodeId?: string) {
    return (error: unknown) =>
      logger.warn("node_link_failed", { ...(nodeId ? { nodeId } : {}), ...describeError(error) });
  }

  bus.subscribe(
    "node-changed",
    (nodeId) => {
      const link = links.get(nodeId);
      if (link) database.as("ingress", link.pump).catch(report(nodeId));
    },
    recheckAll,
  );
  bus.subscribe("registry-changed", recheckAll);
  bus.subscribe("node-connected", hearConnected, () => {
    for (const link of links.values()) announced.add(link); // what told of it may be among what was missed
  });
  const stopRestricting = options.restrictions?.subscribe((nodeId) => links.get(nodeId)?.restrict());
  const stopSpeeding = options.speeds?.subscribe(() => {
    for (const link of links.values()) link.tellSpeeds();
  });
  const rechecking = setInterval(recheckAll, RECHECK_MS);
  const pinging = setInterval(() => {
    for (const link of links.values()) link.ping();
  }, PING_MS);

  return {
    accept(request, socket, head) {
      server.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on("error", () => webSocket.terminate());
        hearAs(database, webSocket);
        database
          .as("ingress", () => serve(webSocket, socket))
          .catch((error: unknown) => {
            report()(error);
            webSocket.terminate();
          });
      });
    },
    close() {
      clearInterval(rechecking);
      clearInterval(pinging);
      stopRestricting?.();
      stopSpeeding?.();
      for (const link of links.values()) link.close("stopping");
      server.close();
      setTimeout(() => {
        for (const socket of server.clients) socket.terminate();
      }, CLOSING_MS);
    },
  };
}

/** What comes by a node's connection is dealt with under the login of nodes, whoever listens. */
function hearAs(database: Database, socket: WebSocket): void {
  const emit = socket.emit.bind(socket);
  socket.emit = (...event: Parameters<typeof emit>) => database.as("ingress", () => emit(...event));
}

/** Cuts a connection that sends more; returns how to lift the limit. */
function limitBytes(raw: Duplex, bytesMax: number): () => void {
  let bytes = 0;
  const count = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMax) raw.destroy();
  };
  raw.on("data", count);
  return () => raw.off("data", count);
}
