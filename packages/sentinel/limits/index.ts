import { requestErrors } from "@securewave/contracts/requests";
import type { Step } from "../step.ts";

export interface LimitsOptions {
  readonly bodyBytesMax: number;
  /** From the first byte of a request to the last: also of one that drips (slow loris). */
  readonly requestSeconds: number;
  readonly headerSeconds?: number;
  /** Characters of path and query together. */
  readonly urlLengthMax?: number;
  readonly queryParametersMax?: number;
  readonly headersMax?: number;
  readonly pathParameterLengthMax?: number;
  /** After so many the client is told to open another connection; what still comes on this one is not served. */
  readonly requestsPerConnectionMax?: number;
}

const HEADER_SECONDS = 10;
const URL_LENGTH_MAX = 8192;
const QUERY_PARAMETERS_MAX = 64;
const HEADERS_MAX = 100;
const PATH_PARAMETER_LENGTH_MAX = 1000;
const REQUESTS_PER_CONNECTION_MAX = 100_000;
/** How often Node looks for connections that are over their time. */
const CHECKING_INTERVAL_MS = 1000;
const HEADER_BYTES_MAX = 16_384;

/**
 * The server's own limits, as options of `fastify()`. A connection that sends nothing at all is closed when its time
 * for the head is over.
 *
 * @see https://nodejs.org/api/http.html#httpcreateserveroptions-requestlistener
 */
export function serverLimits(options: LimitsOptions) {
  return {
    bodyLimit: options.bodyBytesMax,
    requestTimeout: options.requestSeconds * 1000,
    maxRequestsPerSocket: options.requestsPerConnectionMax ?? REQUESTS_PER_CONNECTION_MAX,
    routerOptions: { maxParamLength: options.pathParameterLengthMax ?? PATH_PARAMETER_LENGTH_MAX },
    http: {
      headersTimeout: Math.min(options.headerSeconds ?? HEADER_SECONDS, options.requestSeconds) * 1000,
      connectionsCheckingInterval: CHECKING_INTERVAL_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
  };
}

/**
 * Refuses heads that no honest client sends.
 *
 * @throws request.too_large for the URL or too many headers, request.invalid for too many query parameters
 */
export function createLimitsStep(options: LimitsOptions): Step {
  const urlLengthMax = options.urlLengthMax ?? URL_LENGTH_MAX;
  const queryParametersMax = options.queryParametersMax ?? QUERY_PARAMETERS_MAX;
  const rawHeadersMax = (options.headersMax ?? HEADERS_MAX) * 2;
  const requestsMax = options.requestsPerConnectionMax ?? REQUESTS_PER_CONNECTION_MAX;
  const requestsOf = new WeakMap<object, { count: number }>();
  return ({ raw }, reply) => {
    const requests = requestsOf.get(raw.socket) ?? { count: 0 };
    if (requests.count === 0) requestsOf.set(raw.socket, requests);
    // Node alone says so, too, but leaves the connection open, and answers 503 from then on.
    if (++requests.count >= requestsMax) reply.header("connection", "close");
    const url = raw.url ?? "";
    if (url.length > urlLengthMax || raw.rawHeaders.length > rawHeadersMax) throw requestErrors.tooLarge();
    if (parametersIn(url) > queryParametersMax) throw requestErrors.invalid();
  };
}

function parametersIn(url: string): number {
  let count = 0;
  for (let at = url.indexOf("?"); at !== -1; at = url.indexOf("&", at + 1)) count++;
  return count;
}
