import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createAllowedSpans } from "./allowed-span.ts";

const allowedSpan = createAllowedSpans({ routes: new Set(["/api/devices/:id"]), serviceVersion: "1.2.3" });
const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = provider.getTracer("stray");

/** A span made by anything, such as an instrumentation that somebody adds one day. */
function strayWith(text: string, attributes: Record<string, string | number>): ReadableSpan {
  const span = tracer.startSpan(text, {
    attributes: { ...attributes, [`${text} `]: text, "url.full": text },
  });
  span.setAttribute("client.address", text);
  span.addEvent(text, { [text]: text });
  span.recordException({ name: text, message: text, stack: text });
  span.addLink({ context: span.spanContext(), attributes: { [`${text} `]: text } });
  span.setStatus({ code: 2, message: text });
  span.end();
  const [ended] = exporter.getFinishedSpans().slice(-1);
  exporter.reset();
  if (!ended) throw new Error("no span");
  return ended;
}

const bytesOf = ({ spanContext, ...span }: ReadableSpan) =>
  JSON.stringify({ ...span, context: spanContext() });

const KEYS = [
  "http.request.method",
  "http.route",
  "http.response.status_code",
  "error.type",
  "db.operation.name",
  "db.collection.name",
];

test("a span with a canary in every place keeps none of it", () => {
  const canary = "Canary 198.51.100.77";
  const span = allowedSpan(strayWith(canary, Object.fromEntries(KEYS.map((key) => [key, canary]))));
  expect(bytesOf(span)).not.toContain("anary");
  expect(span).toMatchObject({ name: "HTTP", attributes: {}, events: [], links: [], status: { code: 0 } });
  expect(Object.keys(span.status)).toEqual(["code"]);
});

test("no attribute but those on the list, and no value but those of their lists, gets through", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", minLength: 1 }),
    fc.constantFrom("__proto__", "constructor", "/", "GET "),
  );
  const value = fc.oneof(text, fc.integer(), fc.double());
  const attributes = fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), text), value, { maxKeys: 8 });
  fc.assert(
    fc.property(text, attributes, (name, given) => {
      const span = allowedSpan(strayWith(`~${name}`, given));
      for (const [key, kept] of Object.entries(span.attributes)) {
        expect(KEYS).toContain(key);
        if (key === "http.route") expect(kept).toBe("/api/devices/:id");
        if (typeof kept === "string") expect(kept).toMatch(/^[a-z_]\w{0,62}$|^[A-Z]{3,7}$|^5\d\d$|^\/api/i);
        else expect(kept).toSatisfy((status: number) => status >= 100 && status <= 599);
      }
      expect(bytesOf(span)).not.toContain(`~${name}`);
    }),
    { numRuns: 300 },
  );
});

test("state that a caller sent along is left behind", () => {
  const stray = strayWith("x", {});
  const context = { ...stray.spanContext(), traceState: { serialize: () => "vendor=canary" } };
  const span = allowedSpan({
    ...stray,
    spanContext: () => context as never,
    parentSpanContext: context as never,
  });
  expect(bytesOf(span)).not.toMatch(/traceState|canary/);
});
