import { randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Endpoint } from "./config.ts";
import {
  COOKIE_REPLY_BYTES,
  createInitiator,
  type Identity,
  type Initiation,
  MESSAGE_COOKIE_REPLY,
  MESSAGE_RESPONSE,
  RESPONSE_BYTES,
  type Session,
} from "./noise.ts";

export type HandshakeProbe = Identity & {
  readonly endpoint: Endpoint;
  /** For looking up the name, and again for the handshake. */
  readonly timeoutMs: number;
  /**
   * Sends a fresh initiation each so many milliseconds until one is answered. A server lets one key in at most every
   * 20 ms (wireguard-go; the kernel's limit is 50 a second as well), but turns an unknown key away before it counts, so
   * that 1 shows to the millisecond when a peer becomes live.
   */
  readonly retryEveryMs?: number;
  /** Ends with a keepalive, on which the server counts the handshake as complete. */
  readonly confirm?: boolean;
};

export type HandshakeFailure = "timeout" | "authentication" | "unreachable";

export type HandshakeResult =
  | {
      readonly ok: true;
      /** From sending the answered initiation to its authenticated response. */
      readonly handshakeMs: number;
      /** From sending the first initiation to the authenticated response. */
      readonly elapsedMs: number;
    }
  | { readonly ok: false; readonly reason: HandshakeFailure };

/** Initiations of which the answers are awaited; older ones are forgotten. */
const IN_FLIGHT_MAX = 1024;

/**
 * Makes a WireGuard handshake and nothing more. Timeout: no answer, as for a wrong server key or a client that the
 * server does not know. Authentication: an answer, but a preshared key that differs. Unreachable: the name has no
 * address, or the network refused.
 */
export async function probeHandshake(probe: HandshakeProbe): Promise<HandshakeResult> {
  const address = await Promise.race([
    lookup(probe.endpoint.host).catch(() => undefined),
    sleep(probe.timeoutMs, undefined, { ref: false }),
  ]);
  if (address === undefined) return { ok: false, reason: "unreachable" };
  const socket = createSocket(address.family === 6 ? "udp6" : "udp4");
  try {
    return await exchange(probe, socket, address.address);
  } finally {
    socket.close();
  }
}

function exchange(probe: HandshakeProbe, socket: Socket, address: string): Promise<HandshakeResult> {
  return new Promise((resolve) => {
    const initiator = createInitiator(probe);
    const inFlight = new Map<number, { initiation: Initiation; sentAt: number }>();
    let nextIndex = randomInt(2 ** 31);
    let firstSentAt: number | undefined;
    let cookie: Uint8Array | undefined;
    let isConnected = false;
    let failure: HandshakeFailure = "timeout";

    const timer = setTimeout(() => finish({ ok: false, reason: failure }), probe.timeoutMs);
    const retry = probe.retryEveryMs === undefined ? undefined : setInterval(send, probe.retryEveryMs);

    socket.on("connect", () => {
      isConnected = true;
      send();
    });
    socket.on("error", () => fail("unreachable"));
    socket.on("message", receive);
    socket.connect(probe.endpoint.port, address);

    function send(): void {
      if (!isConnected) return;
      const initiation = initiator.initiate(nextIndex, cookie);
      nextIndex = (nextIndex + 1) % 2 ** 32;
      const sentAt = performance.now();
      firstSentAt ??= sentAt;
      inFlight.set(initiation.senderIndex, { initiation, sentAt });
      for (const oldest of inFlight.keys()) {
        if (inFlight.size <= IN_FLIGHT_MAX) break;
        inFlight.delete(oldest);
      }
      socket.send(initiation.message, (error) => error && fail("unreachable"));
    }

    function receive(message: Buffer): void {
      if (message.length === RESPONSE_BYTES && message[0] === MESSAGE_RESPONSE) receiveResponse(message);
      if (message.length === COOKIE_REPLY_BYTES && message[0] === MESSAGE_COOKIE_REPLY)
        receiveCookie(message);
    }

    function receiveResponse(message: Buffer): void {
      const answered = inFlight.get(message.readUInt32LE(8));
      const result = answered?.initiation.consumeResponse(message);
      if (answered === undefined || result === undefined) return;
      if (result === "authentication") fail(result);
      else succeed(result, answered.sentAt);
    }

    function receiveCookie(message: Buffer): void {
      const refused = inFlight.get(message.readUInt32LE(4));
      const given = refused && initiator.consumeCookie(message, refused.initiation);
      if (given === undefined) return;
      const isFirst = cookie === undefined;
      cookie = given;
      if (isFirst) send();
    }

    function succeed(session: Session, sentAt: number): void {
      const now = performance.now();
      const result = {
        ok: true,
        handshakeMs: now - sentAt,
        elapsedMs: now - (firstSentAt ?? sentAt),
      } as const;
      if (probe.confirm) socket.send(session.keepalive, () => finish(result));
      else finish(result);
    }

    /** Ends the probe, or with retries remembers why it would have ended. */
    function fail(reason: HandshakeFailure): void {
      failure = reason;
      if (retry === undefined) finish({ ok: false, reason });
    }

    function finish(result: HandshakeResult): void {
      clearTimeout(timer);
      clearInterval(retry);
      socket.removeAllListeners("message");
      resolve(result);
    }
  });
}
