import { createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import { sentinelErrors } from "@securewave/contracts/sentinel";
import { invariant } from "@securewave/foundation";
import type { FastifyRequest } from "fastify";

export interface CsrfOptions {
  /** At least 32 bytes, the same in all replicas. */
  readonly key: Uint8Array;
  /** `x-csrf-token` where nothing else is said. */
  readonly headerName?: string;
  /** Whether an `Origin` header names the service's own pages, given the host that the request is for. */
  readonly isOwnOrigin: (origin: string, host: string | undefined) => boolean;
}

/** Protects what is done by cookie from pages of other sites. */
export interface Csrf {
  /** The token that the pages of a session send along: worth nothing with any other session. */
  tokenFor(sessionId: string): string;
  /** @throws sentinel.forged_request when a change does not come from the session's own pages */
  check(request: FastifyRequest, sessionId: string): void;
  /** The part of the check that needs no session: for logging in. @throws sentinel.forged_request */
  checkOrigin(request: FastifyRequest): void;
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1 */
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);
const KEY_BYTES_MIN = 32;
const TOKEN_BYTES = 32;
/** 32 bytes in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/**
 * Two checks, each enough by itself: where the browser says that the request comes from, and a token bound to
 * the session by a keyed hash, which a page of another site cannot read.
 *
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
export function createCsrf({ key, headerName = "x-csrf-token", isOwnOrigin }: CsrfOptions): Csrf {
  invariant(key.length >= KEY_BYTES_MIN, "the key of CSRF tokens has 32 bytes");
  const secretKey = createSecretKey(key);
  const header = headerName.toLowerCase();
  const digestFor = (sessionId: string) =>
    createHmac("sha256", secretKey).update(`csrf ${sessionId}`).digest();

  function checkOrigin({ headers }: FastifyRequest): void {
    const site = headers["sec-fetch-site"];
    if (site !== undefined && site !== "same-origin" && site !== "none") throw sentinelErrors.forgedRequest();
    const { origin } = headers;
    if (origin !== undefined && !isOwnOrigin(origin, headers.host)) throw sentinelErrors.forgedRequest();
  }

  function isTokenOf(sessionId: string, given: string | string[] | undefined): boolean {
    if (typeof given !== "string" || !TOKEN.test(given)) return false;
    const bytes = Buffer.from(given, "base64url");
    return bytes.length === TOKEN_BYTES && timingSafeEqual(bytes, digestFor(sessionId));
  }

  return {
    tokenFor: (sessionId) => digestFor(sessionId).toString("base64url"),
    checkOrigin,
    check(request, sessionId) {
      if (SAFE_METHODS.has(request.method)) return;
      checkOrigin(request);
      if (!isTokenOf(sessionId, request.headers[header])) throw sentinelErrors.forgedRequest();
    },
  };
}
