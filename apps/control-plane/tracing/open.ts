import type { Tracing, TracingOptions } from "./tracing.ts";

/** Starts tracing where a collector is set. OpenTelemetry is loaded only then: it takes up to 15 MB of memory. */
export async function openTracing(options: TracingOptions): Promise<Tracing | undefined> {
  const { endpoint, ...rest } = options;
  if (endpoint === undefined) return undefined;
  const { startTracing } = await import("./opentelemetry.ts");
  return startTracing({ ...rest, endpoint });
}
