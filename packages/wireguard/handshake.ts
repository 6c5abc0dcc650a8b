import { randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { invariant } from "@securewave/foundation";
import type { Endpoint } from "./config.ts";
import {
  COOKIE_REPLY_BYTES,
  createInitiator,
  type Identity,
  type Initiation,
  MESSAGE_COOKIE_REPLY,
  MESSAGE_RESPONSE,
  RESPONSE_BYTES,
} from "./handshake-messages.ts";
import type { Transport } from "./transport.ts";
import { createTunnelEcho, type EchoRoute } from "./tunnel-echo.ts";

export type ServerProbe = Identity & {
  readonly endpoint: Endpoint;
  /** For looking up the name, again for the handshake, and again for an echo. */
  readonly timeoutMs: number;
  /**
   * Sends a fresh initiation each so many milliseconds until one is answered. A server lets one key in at most every
   * 20 ms (wireguard-go; the kernel's limit is 50 a second as well), but turns an unknown key away before it counts, so
   * that 1 shows to the millisecond when a peer becomes live.
   */
  readonly retryEveryMs?: number;
};

export type HandshakeProbe = ServerProbe & {
  /** Ends with a keepalive, on which the server counts the handshake as complete. */
  readonly confirm?: boolean;
};

export type TunnelProbe = ServerProbe & { readonly echo: EchoRoute };

export type HandshakeFailure = "timeout" | "authentication" | "unreachable";

export type HandshakeTimes = {
  /** From sending the answered initiation to its authenticated response. */
  readonly handshakeMs: number;
  /** From sending the first initiation to the authenticated response. */
  readonly elapsedMs: number;
};

export type HandshakeResult =
  | ({ readonly ok: true } & HandshakeTimes)
  | { readonly ok: false; readonly reason: HandshakeFailure };

export type TunnelResult =
  | ({
      readonly ok: true;
      /** From sending the answered echo request to its answer, both sealed. */
      readonly echoMs: number;
    } & HandshakeTimes)
  | { readonly ok: false; readonly reason: HandshakeFailure }
  | ({ readonly ok: false; readonly reason: "no_echo" } & HandshakeTimes);

/** Initiations of which the answers are awaited; older ones are forgotten. */
const IN_FLIGHT_MAX = 1024;
/** Echo requests within the time that one may take: a datagram lost is no dead node. */
const ECHO_TRIES = 4;

/**
 * Makes a WireGuard handshake and nothing more. Timeout: no answer, as for a wrong server key or a client that the
 * server does not know. Authentication: an answer, but a preshared key that differs. Unreachable: the name has no
 * address, or the network refused.
 */
export async function probeHandshake(probe: HandshakeProbe): Promise<HandshakeResult> {
  const result = await withSocket(probe, (socket, address) => exchange(probe, socket, address));
  if (!result.ok) {
    invariant(result.reason !== "no_echo", "who asks for no echo misses none");
    return { ok: false, reason: result.reason };
  }
  return { ok: true, handshakeMs: result.handshakeMs, elapsedMs: result.elapsedMs };
}

/**
 * Makes a WireGuard handshake and sends an ICMP echo through the tunnel, so that the server has shown that it opens
 * packets, delivers them, and seals what comes back. No echo: the handshake succeeded, and nothing authentic came back
 * for four requests, as when a firewall drops them, an address is not the prober's, or forwarding is off.
 *
 * The server counts the handshake as complete and knows the prober's address, until both are wiped.
 */
export async function probeTunnel(probe: TunnelProbe): Promise<TunnelResult> {
  const { from, to } = probe.echo;
  const echo = createTunnelEcho({ from, to });
  const result = await withSocket(probe, (socket, address) => exchange(probe, socket, address, echo));
  if (!result.ok) return result;
  const { echoMs } = result;
  invariant(echoMs !== undefined, "who asks for an echo succeeds by its answer");
  return { ...result, echoMs };
}

type ExchangeResult =
  | ({ readonly ok: true; readonly echoMs?: number } & HandshakeTimes)
  | Exclude<TunnelResult, { ok: true }>;

async function withSocket(
  probe: ServerProbe,
  use: (socket: Socket, address: string) => Promise<ExchangeResult>,
): Promise<ExchangeResult> {
  const address = await Promise.race([
    lookup(probe.endpoint.host).catch(() => undefined),
    sleep(probe.timeoutMs, undefined, { ref: false }),
  ]);
  if (address === undefined) return { ok: false, reason: "unreachable" };
  const socket = createSocket(address.family === 6 ? "udp6" : "udp4");
  try {
    return await use(socket, address.address);
  } finally {
    socket.close();
  }
}

function exchange(
  probe: HandshakeProbe,
  socket: Socket,
  address: string,
  echo?: ReturnType<typeof createTunnelEcho>,
): Promise<ExchangeResult> {
  return new Promise((resolve) => {
    const initiator = createInitiator(probe);
    const inFlight = new Map<number, { initiation: Initiation; sentAt: number }>();
    let nextIndex = randomInt(2 ** 31);
    let firstSentAt: number | undefined;
    let cookie: Uint8Array | undefined;
    let isConnected = false;
    let failure: HandshakeFailure = "timeout";
    /** Set by the first response. */
    let times: HandshakeTimes | undefined;
    /** A later response makes another one, and a server keeps the last only. */
    let session: Transport | undefined;

    let timer = setTimeout(() => finish({ ok: false, reason: failure }), probe.timeoutMs);
    let retry = probe.retryEveryMs === undefined ? undefined : setInterval(send, probe.retryEveryMs);

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
      else if (message.length === COOKIE_REPLY_BYTES && message[0] === MESSAGE_COOKIE_REPLY)
        receiveCookie(message);
      else if (times !== undefined) receiveEcho(message, times);
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

    function succeed(made: Transport, sentAt: number): void {
      const now = performance.now();
      const isFirst = times === undefined;
      times ??= { handshakeMs: now - sentAt, elapsedMs: now - (firstSentAt ?? sentAt) };
      session = made;
      if (echo !== undefined) {
        if (isFirst) awaitEcho(times);
        askEcho();
      } else if (probe.confirm) {
        const result = { ok: true, ...times } as const;
        socket.send(made.seal(new Uint8Array(0)), () => finish(result));
      } else {
        finish({ ok: true, ...times });
      }
    }

    function awaitEcho(made: HandshakeTimes): void {
      clearTimeout(timer);
      clearInterval(retry);
      timer = setTimeout(() => finish({ ok: false, reason: "no_echo", ...made }), probe.timeoutMs);
      retry = setInterval(askEcho, probe.timeoutMs / ECHO_TRIES);
    }

    function askEcho(): void {
      // An error is the timer's to report: a later request may get through.
      if (session !== undefined && echo !== undefined) socket.send(echo.ask(session), () => {});
    }

    function receiveEcho(message: Buffer, made: HandshakeTimes): void {
      const echoMs = echo?.answer(message);
      if (echoMs !== undefined) finish({ ok: true, ...made, echoMs });
    }

    /** Ends the probe, or with retries remembers why it would have ended. */
    function fail(reason: HandshakeFailure): void {
      if (times !== undefined) return;
      failure = reason;
      if (retry === undefined) finish({ ok: false, reason });
    }

    function finish(result: ExchangeResult): void {
      clearTimeout(timer);
      clearInterval(retry);
      socket.removeAllListeners("message");
      resolve(result);
    }
  });
}
