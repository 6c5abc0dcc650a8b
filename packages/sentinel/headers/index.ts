import type { FastifyRequest } from "fastify";
import type { Step } from "../step.ts";

export interface HeadersOptions {
  /** Whether people reach the service over https: browsers refuse some of these headers elsewhere. */
  readonly isSecure: boolean;
  /** Directives in place of those here, such as `{ "connect-src": "'self' https://api.example.org" }`. */
  readonly contentSecurityPolicy?: Readonly<Record<string, string>>;
  /** Answers under these paths are kept by no cache. */
  readonly uncachedPaths?: readonly string[];
}

const CONTENT_SECURITY_POLICY = {
  "default-src": "'self'",
  "img-src": "'self' data: blob:",
  "style-src": "'self'",
  "script-src": "'self'",
  "worker-src": "'self'",
  "connect-src": "'self'",
  "object-src": "'none'",
  "base-uri": "'none'",
  "form-action": "'self'",
  "frame-ancestors": "'none'",
};

const HEADERS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
  "cross-origin-resource-policy": "same-origin",
  "x-permitted-cross-domain-policies": "none",
};

/** Two years, as https://hstspreload.org asks for. */
const SECURE_HEADERS = {
  "strict-transport-security": "max-age=63072000; includeSubDomains",
  "cross-origin-opener-policy": "same-origin",
};

/** Writes a policy without `unsafe-inline`. @see https://www.w3.org/TR/CSP3/ */
export function contentSecurityPolicy(change: Readonly<Record<string, string>> = {}): string {
  return Object.entries({ ...CONTENT_SECURITY_POLICY, ...change })
    .map(([directive, sources]) => `${directive} ${sources}`.trim())
    .join("; ");
}

/** The headers of every answer. @see https://owasp.org/www-project-secure-headers/ */
export function securityHeaders({
  isSecure,
  contentSecurityPolicy: change,
}: HeadersOptions): Readonly<Record<string, string>> {
  return {
    "content-security-policy": contentSecurityPolicy(change),
    ...HEADERS,
    ...(isSecure ? SECURE_HEADERS : {}),
  };
}

/** Sets them before anything else can answer, so that refusals carry them too. */
export function createHeadersStep(options: HeadersOptions): Step {
  const headers = securityHeaders(options);
  const uncached = { ...headers, "cache-control": "no-store" };
  const paths = options.uncachedPaths ?? [];
  return (request, reply) => {
    reply.headers(isUnder(paths, request) ? uncached : headers);
  };
}

/** The same route has other spellings, `/%61pi/` and `http://host/api/`, so its own path is asked too. */
function isUnder(paths: readonly string[], request: FastifyRequest): boolean {
  if (paths.length === 0) return false;
  if (paths.some((path) => request.url.startsWith(path))) return true;
  const route = request.routeOptions.url;
  return route !== undefined && paths.some((path) => route.startsWith(path));
}
