/**
 * One of the servers whose throughput is compared, as a process of its own: `sentinel-server.ts KIND`. Each answers
 * `GET /servers` with the same JSON; the secured ones check a JWT, count the request and set security headers.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { systemClock } from "@securewave/foundation";
import { createSecret } from "@securewave/foundation/secret";
import {
  createBlocklist,
  createDayKeys,
  createHosts,
  createOrigins,
  createRateLimits,
  createReputation,
  sentinel,
} from "@securewave/sentinel";
import { createAccessTokens } from "@securewave/sentinel/tokens";
import express from "express";
import { rateLimit } from "express-rate-limit";
import { fastify } from "fastify";
import helmet from "helmet";
import jwt from "jsonwebtoken";

const SECRET = "a secret of the benchmark with enough characters";
const REQUESTS_MAX = 1_000_000_000;
export const SERVERS = Array.from({ length: 10 }, (_, at) => ({
  id: `node_${String(at).padStart(20, "0")}`,
  name: `node-${at}`,
  region: "eu",
  load: at / 10,
}));
const SCHEMA = {
  type: "array",
  items: {
    type: "object",
    properties: {
      id: { type: "string" },
      name: { type: "string" },
      region: { type: "string" },
      load: { type: "number" },
    },
  },
} as const;

export type ServerKind = "node-http" | "fastify" | "sentinel" | "express";

const start: Record<ServerKind, () => Promise<number>> = {
  async "node-http"() {
    const server = createServer((_, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(SERVERS));
    });
    return portOf(server.listen(0, "127.0.0.1"));
  },

  async fastify() {
    const app = fastify();
    app.get("/servers", { schema: { response: { 200: SCHEMA } } }, async () => SERVERS);
    await app.listen({ host: "127.0.0.1", port: 0 });
    return portOf(app.server);
  },

  async sentinel() {
    const clock = systemClock;
    const app = fastify();
    const limits = createRateLimits({ clock });
    const originOf = createOrigins(createDayKeys(clock));
    const minute = (name: string) => ({ name, limit: REQUESTS_MAX, windowSeconds: 60 });
    app.decorateRequest("origin");
    await app.register(
      sentinel({
        clock,
        originOf,
        headers: { isSecure: true, dataPaths: ["/"] },
        limits: { bodyBytesMax: 1_000_000, requestSeconds: 30 },
        hosts: createHosts(["127.0.0.1"]),
        cors: { origins: ["https://panel.example.org"] },
        reputation: createReputation(),
        blocklist: createBlocklist({ clock }),
        rateLimit: {
          limits,
          policies: [
            { policy: minute("global"), keyOf: () => "all" },
            { policy: minute("ip"), keyOf: ({ origin }) => origin.tag },
          ],
        },
      }),
    );
    const tokens = createAccessTokens({
      issuer: "bench",
      audience: "bench",
      lifeSeconds: 3600,
      clock,
      keys: keysOf(),
    });
    const byUser = minute("user");
    app.get(
      "/servers",
      {
        schema: { response: { 200: SCHEMA } },
        onRequest(request, reply, done) {
          const claims = tokens.verify((request.headers.authorization ?? "").slice("Bearer ".length));
          const verdict = claims && limits.take(byUser, claims.accountId);
          if (!claims || !verdict || verdict instanceof Promise || !verdict.isAllowed) reply.callNotFound();
          else done();
        },
      },
      async () => SERVERS,
    );
    await app.listen({ host: "127.0.0.1", port: 0 });
    process.stdout.write(`token ${tokens.sign({ accountId: "acc_1", sessionId: "ses_1" })}\n`);
    return portOf(app.server);
  },

  async express() {
    const app = express();
    app.use(helmet());
    app.use(
      rateLimit({ windowMs: 60_000, limit: REQUESTS_MAX, standardHeaders: "draft-8", legacyHeaders: false }),
    );
    app.use((request, response, next) => {
      const token = (request.headers.authorization ?? "").slice("Bearer ".length);
      try {
        jwt.verify(token, SECRET, { algorithms: ["HS256"], issuer: "bench", audience: "bench" });
        next();
      } catch {
        response.status(401).end();
      }
    });
    app.get("/servers", (_request, response) => {
      response.json(SERVERS);
    });
    const token = jwt.sign({ sub: "acc_1", sid: "ses_1" }, SECRET, {
      issuer: "bench",
      audience: "bench",
      expiresIn: 3600,
    });
    process.stdout.write(`token ${token}\n`);
    return portOf(app.listen(0, "127.0.0.1"));
  },
};

function keysOf() {
  const keys = [{ kid: "0", algorithm: "HS256" as const, secret: createSecret(SECRET) }];
  return () => keys;
}

async function portOf(server: {
  listening: boolean;
  once(event: "listening", heard: () => void): unknown;
  address(): string | AddressInfo | null;
}): Promise<number> {
  if (!server.listening) await new Promise<void>((resolve) => server.once("listening", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the server listens on a port");
  return address.port;
}

const kind = process.argv[2] as ServerKind;
process.stdout.write(`port ${await start[kind]()}\n`);
