export { openTracing } from "./open.ts";
export type { Tracing, TracingOptions } from "./tracing.ts";
