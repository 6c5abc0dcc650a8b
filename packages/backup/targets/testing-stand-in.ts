import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A status, a body, and headers of its own. */
export type Answer = readonly [
  status: number,
  body?: string | Buffer,
  headers?: Readonly<Record<string, string>>,
];

export interface StandIn {
  readonly port: number;
  /** From here on it answers everything so. */
  answer(status: number | undefined, code?: string): void;
  close(): Promise<void>;
}

/** Stands in for a store of objects that is reached over HTTP. */
export async function openStandIn(
  answerTo: (request: IncomingMessage, url: URL, body: Buffer) => Answer,
  refusal: (status: number, code: string) => Answer,
): Promise<StandIn> {
  let failure: Answer | undefined;
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request));
    const url = new URL(request.url ?? "/", "http://localhost");
    const [status, answer = "", own = {}] = failure ?? answerTo(request, url, body);
    const headers = { "content-length": String(answer.length), ...own };
    response.writeHead(status, headers).end(request.method === "HEAD" ? undefined : answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    answer(status, code = "InternalError") {
      failure = status === undefined ? undefined : refusal(status, code);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
