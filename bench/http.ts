import { Agent, type IncomingMessage, request } from "node:http";

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export interface HttpCaller {
  /** @throws when the answer is no success */
  call(method: string, path: string, token?: string, body?: unknown): Promise<Answer>;
  close(): void;
}

/**
 * Calls one server on connections that are kept open. Node's own client, since `fetch` costs several times as much and
 * would be what is measured.
 */
export function createCaller(port: number, connections = 8): HttpCaller {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, noDelay: true });
  return {
    call(method, path, token, body) {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const headers: Record<string, string | number> = {};
      if (token !== undefined) headers.authorization = `Bearer ${token}`;
      if (payload !== undefined) {
        headers["content-type"] = "application/json";
        headers["content-length"] = Buffer.byteLength(payload);
      }
      return new Promise((resolve, reject) => {
        const sent = request({ agent, host: "127.0.0.1", port, method, path, headers }, (response) => {
          collect(response).then((answer) => {
            if (answer.status < 300) resolve(answer);
            else reject(new Error(`${method} ${path.split("?")[0]} gave ${answer.status}: ${answer.body}`));
          }, reject);
        });
        sent.on("error", reject);
        sent.end(payload);
      });
    },
    close: () => agent.destroy(),
  };
}

function collect(response: IncomingMessage): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
  });
}
