import { randomBytes, randomInt } from "node:crypto";
import { type Echo, isEchoReply, renderEchoRequest } from "./icmp-echo.ts";
import type { Transport } from "./transport.ts";

/** Where an echo goes, in tunnel addresses of one family, as canonical text. */
export type EchoRoute = {
  /** The prober's own: the server takes it from no other key. */
  readonly from: string;
  /** What answers pings inside: the node's own address, or one behind it, which proves its forwarding too. */
  readonly to: string;
};

/** As many as `ping` sends. */
const DATA_BYTES = 56;

/** Echoes of one probe, over one session or several. */
export function createTunnelEcho(route: EchoRoute) {
  const identifier = randomInt(2 ** 16);
  const sessions = new Set<Transport>();
  const asked: { echo: Echo; sentAt: number }[] = [];

  return {
    /** Writes a request with random data for a session whose answers are read from then on. */
    ask(session: Transport): Buffer {
      sessions.add(session);
      const sequence = asked.length % 2 ** 16;
      const echo = { ...route, identifier, sequence, data: randomBytes(DATA_BYTES) };
      const message = session.seal(renderEchoRequest(echo));
      asked.push({ echo, sentAt: performance.now() });
      return message;
    },
    /** @returns milliseconds since the request that a message answers; undefined when it answers none */
    answer(message: Buffer): number | undefined {
      const now = performance.now();
      for (const session of sessions) {
        const packet = session.open(message);
        const answered = packet && asked.find(({ echo }) => isEchoReply(packet, echo));
        if (answered !== undefined) return now - answered.sentAt;
      }
      return undefined;
    },
  };
}
