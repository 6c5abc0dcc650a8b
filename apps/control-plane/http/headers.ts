import type { FastifyInstance } from "fastify";

const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** Headers of every answer. @see https://owasp.org/www-project-secure-headers/ */
export const HEADERS = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};

/** Browsers refuse this one over plain HTTP, with an error in their console. */
const SECURE_HEADERS = { ...HEADERS, "cross-origin-opener-policy": "same-origin" };

/** @param isSecure whether people reach the service over https */
export function addHeaders(app: FastifyInstance, isSecure: boolean): void {
  const headers = isSecure ? SECURE_HEADERS : HEADERS;
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(headers);
    if (request.url.startsWith("/api/")) reply.header("cache-control", "no-store");
  });
}

/** The API reference's viewer sets styles on elements; nothing else is loosened for it. */
export const REFERENCE_POLICY = CONTENT_SECURITY_POLICY.replace(
  "style-src 'self'",
  "style-src 'self' 'unsafe-inline'",
);
