import { Agent, request as requestHttp } from "node:http";
import { text } from "node:stream/consumers";

const TIMEOUT_MS = 30_000;

export interface ServiceCall {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where it comes from. */
  readonly localAddress?: string | undefined;
}

/** Asks the service as a caller of a ghost's would: from an address, and with headers, of one's own. */
export type CallService = (call: ServiceCall) => Promise<{ readonly status: number; readonly text: string }>;

/** @param host what the service is called by those who reach it */
export function createCalls(apiUrl: string, host: string): CallService {
  return ({ method, path, body, headers, localAddress }) =>
    new Promise((resolve, reject) => {
      const content = body === undefined ? undefined : JSON.stringify(body);
      const agent = new Agent({ keepAlive: true });
      const request = requestHttp(new URL(path, apiUrl), {
        method,
        agent,
        timeout: TIMEOUT_MS,
        ...(localAddress !== undefined && { localAddress }),
        headers: {
          host,
          ...(content === undefined
            ? {}
            : { "content-type": "application/json", "content-length": Buffer.byteLength(content) }),
          ...headers,
        },
      });
      request.on("timeout", () => request.destroy(new Error("the service does not answer")));
      request.on("error", reject);
      request.on("response", (response) => {
        const { socket } = response;
        text(response)
          .then((answer) => {
            // Without a farewell, so that the kernel does not remember the connection for a minute.
            socket.resetAndDestroy();
            resolve({ status: response.statusCode ?? 0, text: answer });
          })
          .catch(reject);
      });
      request.end(content);
    });
}
