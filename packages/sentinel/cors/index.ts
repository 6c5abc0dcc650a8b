import type { FastifyReply } from "fastify";
import type { Step } from "../step.ts";
import { createOriginMatcher } from "./origin-matcher.ts";

export interface CorsOptions {
  /** `https://panel.example.org`, `https://*.example.org`, or `*` for all. */
  readonly origins: readonly string[];
  readonly methods?: readonly string[];
  readonly headers?: readonly string[];
  /** Headers of answers that a page of another origin may read. */
  readonly exposedHeaders?: readonly string[];
  /** Lets cookies come along; never together with `*`. */
  readonly withCredentials?: boolean;
  /** Seconds for which a browser need not ask again. */
  readonly maxAgeSeconds?: number;
}

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const HEADERS = ["authorization", "content-type"];
const MAX_AGE_SECONDS = 600;

/**
 * Lets pages of listed origins read answers, and answers their preflights. Others get no headers at all, which is
 * a browser's no, and their preflights go the way of any request.
 *
 * @throws TypeError for an origin that no browser would send, and for credentials together with `*`
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function createCorsStep(options: CorsOptions): Step {
  const isAny = options.origins.includes("*");
  if (isAny && options.withCredentials)
    throw new TypeError("credentials cannot be allowed to every origin: list the origins");
  const isAllowed = createOriginMatcher(options.origins.filter((origin) => origin !== "*"));
  const preflight = {
    "access-control-allow-methods": (options.methods ?? METHODS).join(", "),
    "access-control-allow-headers": (options.headers ?? HEADERS).join(", "),
    "access-control-max-age": String(options.maxAgeSeconds ?? MAX_AGE_SECONDS),
  };
  const exposed = (options.exposedHeaders ?? []).join(", ");

  function allow(reply: FastifyReply, origin: string): void {
    reply.header("access-control-allow-origin", isAny ? "*" : origin);
    if (options.withCredentials) reply.header("access-control-allow-credentials", "true");
    if (exposed) reply.header("access-control-expose-headers", exposed);
  }

  return (request, reply) => {
    const { origin } = request.headers;
    if (options.origins.length === 0) return undefined;
    if (!isAny) varyByOrigin(reply);
    if (origin === undefined || !(isAny || isAllowed(origin))) return undefined;
    allow(reply, origin);
    const isPreflight = request.method === "OPTIONS" && "access-control-request-method" in request.headers;
    return isPreflight ? untilSent(reply.headers(preflight).code(204).send()) : undefined;
  };
}

/** A cache must not give one origin the answer of another. */
function varyByOrigin(reply: FastifyReply): void {
  const before = reply.getHeader("vary");
  reply.header("vary", before === undefined ? "Origin" : `${before}, Origin`);
}

/** Hooks may hold an answer up; until it is out, nothing else may be done for the request. */
async function untilSent(reply: FastifyReply): Promise<void> {
  await reply;
}
