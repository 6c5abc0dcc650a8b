import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A span as OTLP's JSON has it, as far as tests look. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
  readonly status: { readonly code: number };
  readonly events: readonly unknown[];
}

export interface Collector {
  readonly endpoint: string;
  /** Everything that was received, heads and bodies. */
  bytes(): string;
  spans(): ReceivedSpan[];
  /** What it answers with from then on; `silence` answers nothing. */
  answerWith(status: number | "silence"): void;
  close(): Promise<void>;
}

/** An OpenTelemetry collector that keeps what it gets: OTLP over HTTP in JSON. */
export async function openCollector(): Promise<Collector> {
  const heads: string[] = [];
  const bodies: string[] = [];
  let answer: number | "silence" = 200;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    heads.push(`${request.method} ${request.url} ${request.rawHeaders.join(" ")}`);
    const body = Buffer.concat(chunks).toString();
    if (answer === "silence") return;
    if (answer === 200 && request.url === "/v1/traces") bodies.push(body);
    response.writeHead(answer, { "content-type": "application/json" }).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    bytes: () => [...heads, ...bodies].join("\n"),
    spans: () =>
      bodies.flatMap((body) =>
        JSON.parse(body).resourceSpans.flatMap((resource: { scopeSpans: { spans: ReceivedSpan[] }[] }) =>
          resource.scopeSpans.flatMap(({ spans }) => spans),
        ),
      ),
    answerWith(status) {
      answer = status;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
