import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { requestErrors } from "@securewave/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";

export interface UpgradeOptions {
  /** Throws where the request is not let through. */
  readonly admit: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
  /** Completes the handshake. */
  readonly accept: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

interface Waiting {
  readonly socket: Duplex;
  readonly head: Buffer;
}

/**
 * Lets WebSockets be opened at one path. Node hands an upgrade over before anything has looked at it; here it goes
 * the way of every request first, through the same checks, and a refusal is an answer as any other.
 */
export function mountUpgrade(app: FastifyInstance, path: string, { admit, accept }: UpgradeOptions): void {
  const waiting = new WeakMap<IncomingMessage, Waiting>();

  app.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url?.split("?")[0] !== path) {
      socket.destroy();
      return;
    }
    socket.on("error", () => socket.destroy());
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket); // a server's connection is one
    response.on("finish", () => socket.end());
    waiting.set(request, { socket, head });
    app.routing(request, response);
  });

  app.get(path, { onRequest: admit }, (request, reply) => {
    const upgrade = waiting.get(request.raw);
    if (!upgrade) throw requestErrors.notFound();
    reply.hijack();
    reply.raw.detachSocket(upgrade.socket as Socket);
    accept(request.raw, upgrade.socket, upgrade.head);
  });
}
