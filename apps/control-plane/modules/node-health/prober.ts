import type { Presence } from "@securewave/live";
import { type PrivateKey, parsePublicKey } from "@securewave/wireguard";
import { probeTunnel, type TunnelResult } from "@securewave/wireguard/handshake";
import type { EchoRoute } from "@securewave/wireguard/tunnel-echo";
import { describeError, type Logger } from "../../logger.ts";
import type { NodeRow } from "../nodes/index.ts";
import { createEndpointNames } from "./endpoint-names.ts";

export interface ProberOptions {
  readonly presence: Presence;
  readonly nodes: { directory(): Promise<ReadonlyMap<string, NodeRow>> };
  readonly keyFor: (nodeId: string) => PrivateKey;
  readonly echo: EchoRoute;
  readonly logger: Logger;
  readonly everyMs?: number;
}

/** Tries the tunnels of the nodes that are connected to this process, as a device would use them. */
export interface Prober {
  /** Nodes that answer no more. */
  silent(): number;
  /** The slowest of the last ones, in milliseconds; 0 while there is none. */
  slowestHandshakeMs(): number;
  close(): void;
}

export const PROBE_MS = 30_000;
/** A handshake and an echo are done before the next probe. */
const TIMEOUTS_PER_ROUND = 6;
/** A datagram may be lost, and so may another. */
const LOST_MAX = 3;
const REMEMBERED_MAX = 10;

/** What is known of a node from its probes. */
interface Watch {
  timer: NodeJS.Timeout;
  /** Of the last ten: whether each was lost, the newest last. */
  lost: boolean[];
  handshakeMs: number | null;
  isSilent: boolean;
  isUnderWay: boolean;
}

type Failure = Extract<TunnelResult, { ok: false }>["reason"];

const NOT_SENT = "Where this service may not send UDP, set NODE_PROBES=off.";
const PROBLEMS: Readonly<Record<Failure, string>> = {
  timeout: `It does not answer handshakes at its endpoint: is its UDP port open? ${NOT_SENT}`,
  authentication: "It does not answer handshakes as it should. Restart its agent.",
  unreachable: `Its endpoint cannot be reached: does its name have an address, and is its UDP port open? ${NOT_SENT}`,
  no_echo:
    "It answers handshakes, but nothing comes back through its tunnel: does its firewall let pings in from the tunnel?",
};

/** Begins with each node at a moment of its own, so that probes do not come in bursts. */
export function startProber(options: ProberOptions): Prober {
  const { presence, nodes, keyFor, echo, logger, everyMs = PROBE_MS } = options;
  const watches = new Map<string, Watch>();
  const addressOf = createEndpointNames();

  function begin(nodeId: string): void {
    const first = setTimeout(() => {
      const watch = watches.get(nodeId);
      if (!watch) return;
      watch.timer = setInterval(() => void round(nodeId, watch), everyMs).unref();
      void round(nodeId, watch);
    }, Math.random() * everyMs);
    watches.set(nodeId, {
      timer: first.unref(),
      lost: [],
      handshakeMs: null,
      isSilent: false,
      isUnderWay: false,
    });
  }

  function end(nodeId: string, { timer }: Watch): void {
    clearTimeout(timer);
    watches.delete(nodeId);
  }

  function follow(nodeId: string): void {
    const watch = watches.get(nodeId);
    if (watch && !presence.isOwn(nodeId)) end(nodeId, watch);
    if (!watch && presence.isOwn(nodeId)) begin(nodeId);
  }

  async function round(nodeId: string, watch: Watch): Promise<void> {
    if (watch.isUnderWay) return; // its name's turn to be looked up has not come
    watch.isUnderWay = true;
    const result = await probe(nodeId).catch((error: unknown) => {
      logger.warn("node_probe_failed", { nodeId, ...describeError(error) });
      return undefined; // of ours, which says nothing of the node
    });
    watch.isUnderWay = false;
    if (result && watches.get(nodeId) === watch) note(nodeId, watch, result);
  }

  async function probe(nodeId: string): Promise<TunnelResult | undefined> {
    const { wireguard_public_key, endpoint_host, endpoint_port } =
      (await nodes.directory()).get(nodeId) ?? {};
    const serverPublicKey = parsePublicKey(wireguard_public_key ?? "");
    if (!serverPublicKey || !endpoint_host || !endpoint_port) return undefined;
    const host = await addressOf(endpoint_host);
    if (host === undefined) return { ok: false, reason: "unreachable" };
    return probeTunnel({
      endpoint: { host, port: endpoint_port },
      serverPublicKey,
      privateKey: keyFor(nodeId),
      echo,
      timeoutMs: everyMs / TIMEOUTS_PER_ROUND,
    });
  }

  function note(nodeId: string, watch: Watch, result: TunnelResult): void {
    watch.lost = [...watch.lost, !result.ok].slice(-REMEMBERED_MAX);
    watch.handshakeMs = "handshakeMs" in result ? tenths(result.handshakeMs) : null;
    presence.noteVitals(nodeId, {
      handshakeMs: watch.handshakeMs,
      echoMs: result.ok ? tenths(result.echoMs) : null,
      probesLost: watch.lost.filter(Boolean).length / watch.lost.length,
    });
    const isSilent = watch.lost.length >= LOST_MAX && watch.lost.slice(-LOST_MAX).every(Boolean);
    if (isSilent !== watch.isSilent) {
      if (result.ok) logger.info("node_answers", { nodeId });
      else logger.warn("node_silent", { nodeId, internal: result.reason });
    }
    watch.isSilent = isSilent;
    presence.find(nodeId, isSilent && !result.ok ? PROBLEMS[result.reason] : undefined);
  }

  const stop = presence.subscribe(follow);
  for (const nodeId of presence.ownNodes()) follow(nodeId);
  return {
    silent: () => [...watches.values()].filter(({ isSilent }) => isSilent).length,
    slowestHandshakeMs: () =>
      Math.max(0, ...[...watches.values()].map(({ handshakeMs }) => handshakeMs ?? 0)),
    close() {
      stop();
      for (const [nodeId, watch] of watches) end(nodeId, watch);
    },
  };
}

function tenths(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
