import type { FastifyInstance, FastifyRequest } from "fastify";

export interface TracingOptions {
  /** The collector's base URL, to which `/v1/traces` is added; nothing is traced without. */
  readonly endpoint: string | undefined;
  /** Share of the requests that are traced, 0 to 1. */
  readonly ratio: number;
  readonly serviceVersion: string;
  /** Hears of spans that were not delivered. */
  readonly onDrop?: (count: number) => void;
  /**
   * Whose `traceparent` is continued, with its decision whether to trace. Nobody's when not given: a stranger
   * could otherwise have all of his requests traced, or tie them to an id of his choice.
   */
  readonly isTrusted?: (request: FastifyRequest) => boolean;
}

/** Spans of requests and of their queries, without people (ZERO-LOG R9). */
export interface Tracing {
  /**
   * Makes a span of every request. To be called before other hooks and routes are added: what runs ahead of its
   * hook is outside of the span, and only routes added later are named.
   */
  observeRequests(app: FastifyInstance): void;
  /** Adds a query that has just ended to the request that it was made for. */
  observeQuery(query: { kind: string; table: string | undefined; seconds: number; isFailed: boolean }): void;
  /** The header `traceparent` for a call that this request makes to a service of ours. */
  traceparent(): string | undefined;
  /** Delivers what waits, as far as the collector takes it within three seconds. */
  close(): Promise<void>;
}
