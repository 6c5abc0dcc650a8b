import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { NODE_FRAME_BYTES_MAX } from "@securewave/contracts/node-protocol";
import type { Database } from "@securewave/database";
import { type WebSocket, WebSocketServer } from "ws";
import type { Bus } from "../../bus.ts";
import { describeError } from "../../logger.ts";
import type { ServiceKey } from "../service-keys/index.ts";
import { authenticateNode } from "./authentication.ts";
import { createDesiredState, type DesiredState } from "./desired-state.ts";
import { createNodeLink, type LinkOptions, type NodeLink } from "./link.ts";
import type { NodeRow } from "./node.ts";
import { findNode } from "./store.ts";

export interface GatewayOptions extends LinkOptions {
  readonly database: Database;
  readonly bus: Bus;
  readonly identity: ServiceKey;
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
/** Connections that have not proved themselves, at once. */
const UNPROVED_MAX = 200;
/** So long a node may take to answer that the connection closes. */
const CLOSING_MS = 500;

export function createGateway(options: GatewayOptions): Gateway {
  const { database, bus, presence, usage, directory, restrictions, identity, logger } = options;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: NODE_FRAME_BYTES_MAX,
    perMessageDeflate: false,
  });
  const links = new Map<string, NodeLink>();
  const unproved = new Set<WebSocket>();
  const states = new Map<string, DesiredState>();

  /** What is kept of a node's state serves unless removals that it has not seen are forgotten. */
  function stateFor({ id, pruned_revision }: NodeRow): DesiredState {
    const kept = states.get(id);
    if (kept && kept.revision() >= pruned_revision) return kept;
    const state = createDesiredState();
    states.set(id, state);
    return state;
  }

  async function serve(socket: WebSocket, raw: Duplex): Promise<void> {
    const lift = limitBytes(raw, UNPROVED_BYTES_MAX);
    unproved.add(socket);
    const [oldest] = unproved;
    if (unproved.size > UNPROVED_MAX) oldest?.terminate(); // a node proves itself within a moment
    const proved = await authenticateNode(socket, identity, (nodeId) =>
      findNode(database.db, nodeId),
    ).finally(() => unproved.delete(socket));
    lift();
    if (!proved || socket.readyState !== socket.OPEN) return;
    const { node } = proved;
    noteTrust(node);
    links.get(node.id)?.close("replaced");
    const link = createNodeLink(socket, proved, stateFor(node), options);
    links.set(node.id, link);
    logger.info("node_connected", { nodeId: node.id });
    link.closed.then(() => {
      if (links.get(node.id) !== link) return; // a newer connection of the same node took over
      links.delete(node.id);
      presence.remove(node.id);
      logger.info("node_disconnected", { nodeId: node.id });
    });
    await link.start();
  }

  /** What staff decided about a node's figures, here or at another replica. */
  function noteTrust({ id, counting }: NodeRow): void {
    if (counting === "lifted") usage.distrust(id, "earlier", true);
    else if (counting === "quarantined" && !usage.distrusted().has(id)) usage.distrust(id, "earlier", false);
  }

  async function recheck(nodeId: string, link: NodeLink): Promise<void> {
    const node = await findNode(database.db, nodeId);
    if (node) noteTrust(node);
    else forget(nodeId);
    if (node?.credential === link.credential) return link.pump();
    link.close("replaced"); // removed, or joined anew with another credential
  }

  function forget(nodeId: string): void {
    states.delete(nodeId);
    directory.forgetNode(nodeId);
    usage.forgetNode(nodeId);
  }

  function recheckAll(): void {
    for (const [nodeId, link] of links) recheck(nodeId, link).catch(report(nodeId));
  }

  function report(nodeId?: string) {
    return (error: unknown) =>
      logger.warn("node_link_failed", { ...(nodeId ? { nodeId } : {}), ...describeError(error) });
  }

  bus.subscribe(
    "node-changed",
    (nodeId) => {
      const link = links.get(nodeId);
      link?.pump().catch(report(nodeId));
    },
    recheckAll,
  );
  bus.subscribe("registry-changed", recheckAll);
  const stopRestricting = restrictions?.subscribe((nodeId) => links.get(nodeId)?.restrict());
  const rechecking = setInterval(recheckAll, RECHECK_MS);
  const pinging = setInterval(() => {
    for (const link of links.values()) link.ping();
  }, PING_MS);

  return {
    accept(request, socket, head) {
      server.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on("error", () => webSocket.terminate());
        serve(webSocket, socket).catch((error: unknown) => {
          report()(error);
          webSocket.terminate();
        });
      });
    },
    close() {
      clearInterval(rechecking);
      clearInterval(pinging);
      stopRestricting?.();
      for (const link of links.values()) link.close("stopping");
      server.close();
      setTimeout(() => {
        for (const socket of server.clients) socket.terminate();
      }, CLOSING_MS);
    },
  };
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
