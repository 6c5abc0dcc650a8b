import type { SpanContext } from "@opentelemetry/api";

/** W3C Trace Context §3.2: version 00, trace id, parent id, flags. */
const TRACEPARENT = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/;
const SAMPLED = 1;

/** Reads a `traceparent`; `tracestate` and `baggage`, which can hold anything, are never read. */
export function parseTraceparent(text: unknown): SpanContext | undefined {
  const [, traceId = "", spanId = "", flags = ""] =
    (typeof text === "string" && TRACEPARENT.exec(text)) || [];
  if (/^0*$/.test(traceId) || /^0*$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & SAMPLED, isRemote: true };
}

export function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-0${traceFlags & SAMPLED}`;
}
