import { fileURLToPath } from "node:url";
import { startProcess } from "./processes.ts";
import { run } from "./run.ts";

/** An address as it stands in a URL: IPv6 in brackets. */
export function urlHost(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}

export interface WebServer {
  readonly url: string;
  /** The addresses that asked, in order; IPv4 without the `::ffff:` prefix. */
  visitors(): string[];
  stop(): Promise<void>;
}

/** Serves one text on every path from inside a namespace, and notes who asks. */
export async function serveHttp(
  namespace: string,
  address: string,
  port: number,
  body: string,
): Promise<WebServer> {
  const script = fileURLToPath(new URL("./web-server-process.ts", import.meta.url));
  const server = await startProcess({
    command: process.execPath,
    args: [script, address, String(port), body],
    namespace,
    readyWhen: /^listening$/,
  });
  return {
    url: `http://${urlHost(address)}:${port}/`,
    visitors: () => server.lines().flatMap((line) => (line.startsWith("visitor ") ? [line.slice(8)] : [])),
    stop: async () => void (await server.stop()),
  };
}

export interface CurlAnswer {
  /** The HTTP status; undefined when no answer came. */
  status: number | undefined;
  body: string;
  /** What curl says about why no answer came; empty otherwise. */
  failure: string;
}

/** Fetches a URL from inside a namespace; an unreachable server is an answer without status, not an error. */
export async function curl(
  namespace: string,
  url: string,
  { timeoutMs = 5000 }: { timeoutMs?: number } = {},
): Promise<CurlAnswer> {
  const separator = "\n--status:";
  const args = [
    "-sS",
    "-g",
    "--noproxy",
    "*",
    "-w",
    `${separator}%{http_code}`,
    "-m",
    String(timeoutMs / 1000),
    url,
  ];
  const { stdout, stderr, code } = await run("curl", args, { namespace, timeoutMs: timeoutMs + 5000 });
  const at = stdout.lastIndexOf(separator);
  const status = Number(stdout.slice(at + separator.length));
  return {
    status: code === 0 && status > 0 ? status : undefined,
    body: stdout.slice(0, at),
    failure: code === 0 ? "" : stderr.trim(),
  };
}

/** Whether an address answers an ICMP echo from inside a namespace within the time. */
export async function ping(
  namespace: string,
  address: string,
  { timeoutMs = 2000 }: { timeoutMs?: number } = {},
): Promise<boolean> {
  const args = ["-n", "-c", "1", "-W", String(timeoutMs / 1000), address];
  const { code } = await run("ping", args, { namespace, timeoutMs: timeoutMs + 5000 });
  return code === 0;
}
