import type { FastifyRequest } from "fastify";
import type { Step } from "../step.ts";

export interface HeadersOptions {
  /** Whether people reach the service over https: browsers refuse some of these headers elsewhere. */
  readonly isSecure: boolean;
  /** Directives in place of those here, such as `{ "connect-src": "'self' https://api.example.org" }`. */
  readonly contentSecurityPolicy?: Readonly<Record<string, string>>;
  /** Answers under these paths are data for programs: no cache keeps them, and shown as a page they may do nothing. */
  readonly dataPaths?: readonly string[];
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
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
  "cross-origin-resource-policy": "same-origin",
};

/** Each header of an answer costs the server about a microsecond, so data has no long ones. */
const DATA_HEADERS = {
  ...HEADERS,
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
};

/** Two years, as https://hstspreload.org asks for. */
const STRICT_TRANSPORT_SECURITY = "max-age=63072000; includeSubDomains";

/** Writes a policy without `unsafe-inline`. @see https://www.w3.org/TR/CSP3/ */
export function contentSecurityPolicy(change: Readonly<Record<string, string>> = {}): string {
  return Object.entries({ ...CONTENT_SECURITY_POLICY, ...change })
    .map(([directive, sources]) => `${directive} ${sources}`.trim())
    .join("; ");
}

/** The headers of a page. @see https://owasp.org/www-project-secure-headers/ */
export function securityHeaders({
  isSecure,
  contentSecurityPolicy: change,
}: HeadersOptions): Readonly<Record<string, string>> {
  return {
    "content-security-policy": contentSecurityPolicy(change),
    ...HEADERS,
    ...(isSecure && {
      "strict-transport-security": STRICT_TRANSPORT_SECURITY,
      "cross-origin-opener-policy": "same-origin",
    }),
  };
}

/** Sets them before anything else can answer, so that refusals carry them too. */
export function createHeadersStep(options: HeadersOptions): Step {
  const { isSecure, dataPaths = [] } = options;
  const ofPages = securityHeaders(options);
  const ofData = {
    ...DATA_HEADERS,
    ...(isSecure && { "strict-transport-security": STRICT_TRANSPORT_SECURITY }),
  };
  return (request, reply) => {
    reply.headers(isUnder(dataPaths, request) ? ofData : ofPages);
  };
}

/** The same route has other spellings, `/%61pi/` and `http://host/api/`, so its own path is asked too. */
function isUnder(paths: readonly string[], request: FastifyRequest): boolean {
  if (paths.length === 0) return false;
  if (paths.some((path) => request.url.startsWith(path))) return true;
  const route = request.routeOptions.url;
  return route !== undefined && paths.some((path) => route.startsWith(path));
}
