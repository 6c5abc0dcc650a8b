import { AsyncLocalStorage } from "node:async_hooks";
import { ROOT_CONTEXT, type Span, type SpanContext, SpanKind, TraceFlags, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  type ReadableSpan,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import type { FastifyReply, FastifyRequest } from "fastify";
import { labelOf, METHODS, OTHER, queryLabelsOf } from "../http/labels.ts";
import { createAllowedSpans } from "./allowed-span.ts";
import { createSpanQueue } from "./span-queue.ts";
import { parseTraceparent, traceparentOf } from "./trace-context.ts";
import type { Tracing, TracingOptions } from "./tracing.ts";

const CLOSE_MS = 3000;
/** By the numbers of OpenTelemetry's `ExportResultCode`. */
const EXPORT_SUCCESS = 0;

/** The part of tracing that stands on OpenTelemetry. */
export function startTracing(options: TracingOptions & { readonly endpoint: string }): Tracing {
  const { endpoint, ratio, serviceVersion, isTrusted, onDrop = () => {} } = options;
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, "")}/v1/traces` });
  const routes = new Set<string>();
  const allowedSpan = createAllowedSpans({ routes, serviceVersion });
  const queue = createSpanQueue({ deliver: (spans) => deliver(exporter, spans), onDrop });
  const processor: SpanProcessor = {
    onStart() {},
    onEnd: (span) => queue.add(allowedSpan(span)),
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const provider = new BasicTracerProvider({ sampler: new AlwaysOnSampler(), spanProcessors: [processor] });
  const tracer = provider.getTracer("securewave", serviceVersion);
  // Here rather than in a sampler of OpenTelemetry, so that a request that is not traced costs next to nothing.
  const isSampled = (parent: SpanContext | undefined) =>
    parent ? parent.traceFlags === TraceFlags.SAMPLED : Math.random() < ratio;
  const spanOf = new WeakMap<FastifyRequest, Span>();
  const active = new AsyncLocalStorage<{ readonly span: Span; readonly reply: FastifyReply }>();

  return {
    observeRequests(app) {
      app.addHook("onRoute", ({ url }) => void routes.add(url));
      app.addHook("onRequest", (request, reply, done) => {
        const parent = isTrusted?.(request) ? parseTraceparent(request.headers.traceparent) : undefined;
        if (!isSampled(parent)) return done();
        const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
        const span = tracer.startSpan("request", { kind: SpanKind.SERVER }, context);
        if (parent) reply.header("traceresponse", traceparentOf(span.spanContext()));
        spanOf.set(request, span);
        active.run({ span, reply }, done);
      });
      app.addHook("onResponse", (request, reply, done) => {
        const span = spanOf.get(request);
        if (span && !isEventStream(reply)) {
          const { statusCode } = reply;
          const route = request.routeOptions.url;
          span.setAttribute("http.request.method", labelOf(METHODS, request.method));
          if (route !== undefined) span.setAttribute("http.route", route);
          span.setAttribute("http.response.status_code", statusCode);
          if (statusCode >= 500) span.setAttribute("error.type", String(statusCode));
          span.end();
        }
        done();
      });
    },

    observeQuery({ kind, table, seconds, isFailed }) {
      const { span: parent, reply } = active.getStore() ?? {};
      if (!parent?.isRecording() || !reply || isEventStream(reply)) return;
      const endMs = performance.timeOrigin + performance.now();
      const labels = queryLabelsOf(kind, table);
      const attributes = {
        "db.operation.name": labels.operation,
        ...(table === undefined ? {} : { "db.collection.name": labels.table }),
        ...(isFailed ? { "error.type": OTHER } : {}),
      };
      const startTime = endMs - seconds * 1000;
      tracer
        .startSpan(
          "query",
          { kind: SpanKind.CLIENT, startTime, attributes },
          trace.setSpan(ROOT_CONTEXT, parent),
        )
        .end(endMs);
    },

    traceparent() {
      const span = active.getStore()?.span;
      return span && traceparentOf(span.spanContext());
    },

    async close() {
      await queue.close(CLOSE_MS);
      // It would wait for a batch that is still being tried; the process need not.
      void exporter.shutdown().catch(() => {});
    },
  };
}

/** Its length, and what happens in it, tell how long somebody kept a page open: of these no span is delivered. */
function isEventStream(reply: FastifyReply): boolean {
  return reply.getHeader("content-type") === "text/event-stream";
}

/** The exporter itself tries again for ten seconds. */
function deliver(exporter: OTLPTraceExporter, spans: ReadableSpan[]): Promise<boolean> {
  return new Promise((resolve) => {
    exporter.export(spans, ({ code }) => resolve(code === EXPORT_SUCCESS));
  });
}
