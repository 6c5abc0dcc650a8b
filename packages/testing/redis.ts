import { once } from "node:events";
import { connect } from "node:net";
import { eventually } from "./eventually.ts";
import { freeTcpPort } from "./ports.ts";
import { type RunningProcess, startProcess } from "./processes.ts";
import { type Requirements, requirements } from "./requirements.ts";
import { temporaryDir } from "./temporary.ts";

export interface TestRedis {
  /** `redis://127.0.0.1:<port>`, with the password if there is one. */
  readonly url: string;
  readonly port: number;
  /** Where it would write what it keeps. */
  readonly dir: string;
  /** Freezes it: connections stay open, nothing is answered. */
  pause(): void;
  resume(): void;
  /** Ends it at once, and all that it held with it. */
  kill(): Promise<void>;
  /** Asks it to end, as a system does that shuts down. Its folder stays until `close`. */
  stop(): Promise<void>;
  /** Starts it again on the same port after `kill`, empty. */
  restart(): Promise<void>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface TestRedisOptions {
  readonly password?: string;
  /** A free one where there is none. */
  readonly port?: number;
  /** Serves TLS only, by PEM files; the URL is then `rediss://`. */
  readonly tls?: { readonly certificatePath: string; readonly keyPath: string };
  /** The network namespace to run in; absent means the one of this process. */
  readonly namespace?: string;
  /** Settings of `redis.conf`, one word or more each: `{ save: "3600 1", replicaof: "127.0.0.1 6379" }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What a suite needs that calls `openTestRedis`. */
export function redisRequirements(): Requirements {
  return requirements({ tools: ["redis-server"] });
}

/** Starts Debian's redis-server without persistence on a free port of 127.0.0.1. */
export async function openTestRedis({
  password,
  tls,
  settings = {},
  port: wantedPort,
  namespace,
}: TestRedisOptions = {}): Promise<TestRedis> {
  const dir = temporaryDir("redis");
  const port = wantedPort ?? (await freeTcpPort());
  let server: RunningProcess | undefined;

  async function start(): Promise<void> {
    server = await startProcess({
      command: "redis-server",
      args: [
        ...["--bind", "127.0.0.1", "--dir", dir.path, "--save", "", "--appendonly", "no"],
        ...(tls ? ["--port", "0", "--tls-port", String(port)] : ["--port", String(port)]),
        ...(tls ? ["--tls-cert-file", tls.certificatePath, "--tls-key-file", tls.keyPath] : []),
        ...(tls ? ["--tls-auth-clients", "no"] : []),
        ...(password === undefined ? [] : ["--requirepass", password]),
        ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...value.split(" ")]),
      ],
      readyWhen: /Ready to accept connections/,
      ...(namespace !== undefined && { namespace }),
    });
    if (namespace === undefined) await eventually(() => knock(port));
  }
  async function end(): Promise<void> {
    server?.kill("SIGKILL"); // also ends what is frozen
    await server?.exited;
    await server?.stop();
    server = undefined;
  }
  async function close(): Promise<void> {
    await end();
    dir.remove();
  }

  await start();
  const secret = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  return {
    url: `${tls ? "rediss" : "redis"}://${secret}127.0.0.1:${port}`,
    port,
    dir: dir.path,
    pause: () => server?.kill("SIGSTOP"),
    resume: () => server?.kill("SIGCONT"),
    kill: end,
    async stop() {
      await server?.stop();
      server = undefined;
    },
    restart: start,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function knock(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}
