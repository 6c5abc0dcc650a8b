import type { KeyObject } from "node:crypto";
import {
  type AgentFrame,
  authenticationText,
  NODE_FRAME_BYTES_MAX,
  NODE_PROTOCOL_VERSION,
  NODE_SOCKET_PATH,
  type PlaneFrame,
  type Proof,
  REFUSALS,
} from "@securewave/contracts/node-protocol";
import { SECOND_MS } from "@securewave/foundation";
import type { Static } from "typebox";
import { WebSocket } from "ws";
import { createNonce, isSignedBy, signText } from "./credential.ts";
import { parsePlaneFrame } from "./frames.ts";
import { type Log, silentLog } from "./log.ts";

const PING_INTERVAL_MS = 10 * SECOND_MS;
/** A link on which nothing came for so long is dead; pings see to it that something comes. */
const SILENCE_MAX_MS = 30 * SECOND_MS;
const HANDSHAKE_TIMEOUT_MS = 10 * SECOND_MS;
/** So wide that a fleet whose control plane is back at once comes over two seconds, and not in one wave. */
const RETRY_FIRST_MS = 2 * SECOND_MS;
const RETRY_MAX_MS = 15 * SECOND_MS;
/** A connection that held so long was a good one; the next retry is a fast one again. */
const GOOD_AFTER_MS = 5 * SECOND_MS;
/** A node that is not let in serves on and asks again after so long at least, and after half as long again at most. */
const REFUSED_RETRY_MS: Readonly<Record<string, number>> = {
  [REFUSALS.protocol]: 60 * SECOND_MS,
  [REFUSALS.cloned]: 600 * SECOND_MS,
};
/** With more waiting to be sent, reports are left out until the link caught up. */
const BACKLOG_BYTES_MAX = 8 * 1024 * 1024;

/** What a control plane says to a node that it let in. */
export type ServingFrame = Exclude<PlaneFrame, { type: "challenge" | "refused" }>;

export interface LinkHandlers {
  /** What the agent holds, for its proof. */
  describe(): Omit<Static<typeof Proof>, "type" | "signature">;
  /** Both sides have proved themselves. */
  onOpen(): void;
  /** Frames in order, after `onOpen`. */
  onFrame(frame: ServingFrame): void;
  /**
   * The control plane does not let this node in, and says why by a code. Of one that has not proved itself, only
   * `REFUSALS.protocol` counts: it may not even know how to.
   */
  onRefused(code: string): void;
  /** The proven connection ended; another is on its way. */
  onClose(): void;
}

export interface Link {
  readonly isOpen: boolean;
  /** Drops the frame while the link is down. */
  send(frame: AgentFrame): void;
  /** Sends a binary frame. All but batches are also dropped while the link is behind. */
  sendFigures(bytes: Uint8Array, kind: FiguresKind): void;
  /** Ends the connection for good. */
  close(): void;
}

export type FiguresKind = "report" | "batch" | "health";

/** Opens the link to the control plane, which then holds itself open. */
export type Connect = (handlers: LinkHandlers) => Link;

export interface ConnectOptions {
  /** Such as `https://vpn.example.org`. */
  readonly controlPlaneUrl: string;
  readonly nodeId: string;
  /** Signs for the node; asked anew for each connection where it can change. */
  readonly credential: KeyObject | (() => KeyObject);
  /** The control plane's key, pinned when joining. */
  readonly controlPlaneKey: KeyObject;
  readonly log?: Log;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/**
 * Connects to a control plane over WebSocket and keeps trying: full jitter on an exponential back-off from 2 s to
 * 15 s, so that a fleet does not come back in one wave.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function createConnect(options: ConnectOptions): Connect {
  const { log = silentLog, random = Math.random } = options;
  return (handlers) => {
    let failures = 0;
    let retryTimer: NodeJS.Timeout | undefined;
    let isClosed = false;
    let session = open();

    function open(): Session {
      return openSession(options, handlers, log, ({ wasGood, refusal }) => {
        if (isClosed) return;
        if (wasGood) failures = 0;
        retryTimer = setTimeout(
          () => {
            session = open();
          },
          retryAfterMs({ failures, refusal, random: random() }),
        );
        failures++;
      });
    }

    return {
      get isOpen() {
        return session.isProven();
      },
      send: (frame) => session.send(frame),
      sendFigures: (bytes, kind) => session.sendFigures(bytes, kind),
      close() {
        isClosed = true;
        clearTimeout(retryTimer);
        session.close();
      },
    };
  };
}

export interface Attempts {
  /** Since the last connection that held. */
  readonly failures: number;
  readonly refusal: string | undefined;
  /** From 0 to 1. */
  readonly random: number;
}

/** How long to wait before the next attempt. */
export function retryAfterMs({ failures, refusal, random }: Attempts): number {
  const pauseMs = refusal === undefined ? undefined : REFUSED_RETRY_MS[refusal];
  if (pauseMs !== undefined) return pauseMs * (1 + random / 2);
  return random * Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(failures, 10));
}

interface Session {
  isProven(): boolean;
  send(frame: AgentFrame): void;
  sendFigures(bytes: Uint8Array, kind: FiguresKind): void;
  close(): void;
}

interface Ending {
  readonly wasGood: boolean;
  /** Why the control plane ended it, when it said so. */
  readonly refusal: string | undefined;
}

/** One connection, from the hello to its end. */
function openSession(
  options: ConnectOptions,
  handlers: LinkHandlers,
  log: Log,
  onEnd: (ending: Ending) => void,
): Session {
  const { nodeId, controlPlaneKey } = options;
  const credential = typeof options.credential === "function" ? options.credential() : options.credential;
  const agentNonce = createNonce();
  const socket = new WebSocket(socketUrl(options.controlPlaneUrl), {
    maxPayload: NODE_FRAME_BYTES_MAX,
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });
  let provenAtMs: number | undefined;
  let heardAtMs = performance.now();
  let refusal: string | undefined;
  let hasEnded = false;

  const pulse = setInterval(() => {
    if (performance.now() - heardAtMs > SILENCE_MAX_MS) socket.terminate();
    else if (socket.readyState === WebSocket.OPEN) socket.ping();
  }, PING_INTERVAL_MS);
  const proofTimer = setTimeout(() => socket.terminate(), HANDSHAKE_TIMEOUT_MS);

  const heard = () => {
    heardAtMs = performance.now();
  };
  socket.on("pong", heard);
  socket.on("ping", heard);
  socket.on("open", () =>
    send({ type: "hello", protocol: NODE_PROTOCOL_VERSION, node_id: nodeId, nonce: agentNonce }),
  );
  socket.on("message", (data, isBinary) => {
    heard();
    if (hasEnded) return;
    const frame = isBinary ? undefined : parsePlaneFrame(String(data));
    if (frame === undefined) giveUp("protocol-error");
    else receive(frame);
  });
  // `close` follows, and says all there is to do.
  socket.on("error", () => undefined);
  socket.on("close", end);

  function receive(frame: PlaneFrame): void {
    if (frame.type === "refused") beRefused(frame.code.replace(/[^a-z._]/g, "").slice(0, 60));
    else if (provenAtMs !== undefined && frame.type !== "challenge") handlers.onFrame(frame);
    else if (provenAtMs === undefined && frame.type === "challenge") answer(frame);
    else giveUp("protocol-error");
  }

  /** The other side ends the connection; what it said before it proved itself may be anybody's. */
  function beRefused(code: string): void {
    log("refused", { why: code });
    if (provenAtMs === undefined && code !== REFUSALS.protocol) return;
    refusal = code;
    handlers.onRefused(code);
  }

  function answer({ nonce, signature }: { nonce: string; signature: string }): void {
    if (
      !isSignedBy(controlPlaneKey, authenticationText("control-plane", nodeId, agentNonce, nonce), signature)
    ) {
      giveUp("control-plane-unproven");
      return;
    }
    clearTimeout(proofTimer);
    provenAtMs = performance.now();
    const proof = signText(authenticationText("node", nodeId, agentNonce, nonce), credential);
    send({ type: "proof", signature: proof, ...handlers.describe() });
    log("connected");
    handlers.onOpen();
  }

  function giveUp(why: "protocol-error" | "control-plane-unproven"): void {
    log(why);
    end();
    socket.terminate();
  }

  function send(frame: AgentFrame): void {
    if (socket.readyState !== WebSocket.OPEN || hasEnded) return;
    socket.send(JSON.stringify(frame));
  }

  function sendFigures(bytes: Uint8Array, kind: FiguresKind): void {
    if (socket.readyState !== WebSocket.OPEN || hasEnded || provenAtMs === undefined) return;
    if (kind !== "batch" && socket.bufferedAmount > BACKLOG_BYTES_MAX) return;
    socket.send(bytes);
  }

  function end(): void {
    if (hasEnded) return;
    hasEnded = true;
    clearInterval(pulse);
    clearTimeout(proofTimer);
    if (provenAtMs !== undefined) {
      log("disconnected");
      handlers.onClose();
    }
    const wasGood = provenAtMs !== undefined && performance.now() - provenAtMs > GOOD_AFTER_MS;
    onEnd({ wasGood, refusal });
  }

  return {
    isProven: () => provenAtMs !== undefined && !hasEnded,
    send,
    sendFigures,
    close() {
      end();
      socket.terminate();
    },
  };
}

function socketUrl(controlPlaneUrl: string): URL {
  const url = new URL(NODE_SOCKET_PATH, controlPlaneUrl);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}
