import { request } from "node:http";
import type { FastifyInstance } from "fastify";

export interface RawRequest {
  readonly method?: string;
  /** What stands behind the method: a path, or `http://host/path`. */
  readonly target?: string;
  /** Names and values in turn; the same name may come twice. Nothing is added but `Connection`. */
  readonly headers?: readonly string[];
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Sends a request over a socket exactly as it is given, which `inject` and `fetch` would tidy up. */
export async function sendRaw(app: FastifyInstance, raw: RawRequest): Promise<RawAnswer> {
  if (!app.server.listening) await app.listen({ host: "127.0.0.1", port: 0 });
  const address = app.server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return new Promise((resolve, reject) => {
    const { method = "GET", target = "/", headers = ["Host", "localhost"] } = raw;
    const sent = request(
      { host: "127.0.0.1", port, method, path: target, headers: [...headers], agent: false, setHost: false },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => {
          body += text;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    );
    sent.on("error", reject).end();
  });
}
