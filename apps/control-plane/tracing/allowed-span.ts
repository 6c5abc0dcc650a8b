import type { Attributes } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-node";
import { labelOf, METHODS, OTHER, queryLabelsOf } from "../http/labels.ts";

export interface AllowedSpanOptions {
  /** The patterns that routes were added with. */
  readonly routes: ReadonlySet<string>;
  readonly serviceVersion: string;
}

/** Unset and error, by the numbers of OpenTelemetry's `SpanStatusCode`. */
const STATUS_UNSET = 0;
const STATUS_ERROR = 2;

/**
 * Makes the function that reduces spans to what may leave the process: a span made of these few attributes, each
 * with a value of a closed list, and of nothing else. Names follow from the attributes; events, which hold texts of
 * errors, links, messages of a status, and state from outside are left behind.
 */
export function createAllowedSpans({ routes, serviceVersion }: AllowedSpanOptions) {
  const resource = resourceOf({ "service.name": "securewave", "service.version": serviceVersion });
  const instrumentationScope = { name: "securewave", version: serviceVersion };
  const allowed: readonly (readonly [name: string, isAllowed: (value: unknown) => boolean])[] = [
    ["http.request.method", (value) => labelOf(METHODS, String(value)) === value],
    ["http.route", (value) => typeof value === "string" && routes.has(value)],
    ["http.response.status_code", isStatus],
    ["error.type", (value) => value === OTHER || (isStatus(Number(value)) && Number(value) >= 500)],
    ["db.operation.name", (value) => queryLabelsOf(String(value), undefined).operation === value],
    ["db.collection.name", (value) => queryLabelsOf("", String(value)).table === value],
  ];

  return (span: ReadableSpan): ReadableSpan => {
    const attributes: Attributes = {};
    for (const [name, isAllowed] of allowed) {
      const value = span.attributes[name];
      if (value !== undefined && isAllowed(value)) attributes[name] = value;
    }
    const { traceId, spanId, traceFlags } = span.spanContext();
    const parent = span.parentSpanContext;
    return {
      name: nameOf(attributes),
      kind: span.kind,
      spanContext: () => ({ traceId, spanId, traceFlags }),
      ...(parent && {
        parentSpanContext: {
          traceId: parent.traceId,
          spanId: parent.spanId,
          traceFlags: parent.traceFlags,
          isRemote: parent.isRemote ?? false,
        },
      }),
      startTime: span.startTime,
      endTime: span.endTime,
      duration: span.duration,
      ended: true,
      status: { code: "error.type" in attributes ? STATUS_ERROR : STATUS_UNSET },
      attributes,
      links: [],
      events: [],
      resource,
      instrumentationScope,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  };
}

function isStatus(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 100 && value <= 599;
}

/** As the semantic conventions name spans: `GET /api/vpn/devices/:id`, `select devices`. */
function nameOf(attributes: Attributes): string {
  const {
    "db.operation.name": operation,
    "db.collection.name": table,
    "http.request.method": method = OTHER,
    "http.route": route,
  } = attributes;
  if (operation !== undefined) return table === undefined ? `${operation}` : `${operation} ${table}`;
  const verb = method === OTHER ? "HTTP" : method;
  return route === undefined ? `${verb}` : `${verb} ${route}`;
}

/** The resource that OpenTelemetry makes by itself names the machine's program; exporters read the attributes alone. */
function resourceOf(attributes: Attributes): ReadableSpan["resource"] {
  const resource: ReadableSpan["resource"] = {
    attributes,
    merge: () => resource,
    getRawAttributes: () => Object.entries(attributes),
  };
  return resource;
}
