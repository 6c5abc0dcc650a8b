import { spawn } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@securewave/contracts";
import { freeTcpPort, type RunningProcess, startProcess, temporaryDir } from "@securewave/testing";
import { CONTROL_PLANE } from "../scripts/program.mjs";
import { createCaller, type HttpCaller } from "./http.ts";
import { steadyMs } from "./statistics.ts";

/** What `npm start` runs. */
const MAIN = fileURLToPath(new URL(`../${CONTROL_PLANE.entry}`, import.meta.url));
/** One address asks here what many people ask elsewhere; each request is counted all the same. */
const UNLIMITED = {
  RATE_LIMIT_GLOBAL: "100000000",
  RATE_LIMIT_IP: "1000000",
  RATE_LIMIT_USER: "1000000",
  RATE_LIMIT_SENSITIVE: "1000000",
};
const SETUP_LINK = /\/setup#token=(\S+)/;
const PASSWORD = "walnut-Ferry-19-lantern";
/** Devices that one account may have: the most that the settings allow. */
export const ACCOUNT_DEVICES_MAX = 1000;

/** The real control plane as a process of its own, on an embedded store of its own. */
export interface Service {
  /** The one that runs at the moment. */
  readonly process: RunningProcess;
  readonly port: number;
  readonly url: string;
  /** The folder that holds PostgreSQL's data and its socket. */
  readonly socketDir: string;
  readonly admin: Client;
  readonly adminToken: string;
  /** Of all accounts. */
  readonly password: string;
  readonly http: HttpCaller;
  /** Makes a customer's account and logs it in. */
  addCustomer(): Promise<Customer>;
  /** Ends the process as a power cut would. */
  kill(): Promise<void>;
  /** Starts it once more after `kill`, on its port and folder. */
  startAgain(): Promise<Restart>;
  close(): Promise<void>;
}

/** In milliseconds of the clock that `steadyMs` reads. */
interface Restart {
  readonly startedMs: number;
  /** When its port took a connection. */
  readonly listeningMs: number;
}

export interface Customer {
  readonly accountId: string;
  readonly token: string;
}

export interface ServiceProcess {
  readonly process: RunningProcess;
  readonly port: number;
}

/** Starts the control plane on a folder; ready when it has printed where to go. */
export async function startControlPlane(dataDir: string, settings: Settings = {}): Promise<ServiceProcess> {
  const { port, env } = await environmentOf(dataDir, settings);
  const started = { command: process.execPath, args: [...CONTROL_PLANE.flags, MAIN], cwd: dataDir, env };
  return {
    port,
    process: await startProcess({ ...started, readyWhen: /Stop with Ctrl-C/, timeoutMs: 60_000 }),
  };
}

/** Settings of the service, by their variables. */
type Settings = Readonly<Record<string, string>>;

/** Nothing of this process's own settings reaches the one that is measured. */
async function environmentOf(dataDir: string, settings: Settings = {}) {
  const port = Number(settings.API_PORT ?? (await freeTcpPort()));
  const cleared = Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => !["PATH", "HOME", "LANG", "TMPDIR"].includes(name))
      .map((name) => [name, undefined]),
  );
  const own = {
    DATA_DIR: dataDir,
    API_HOST: "127.0.0.1",
    API_PORT: String(port),
    METRICS_PORT: String(await freeTcpPort()),
    LOCAL_NODE: "off",
    NODE_ENV: "production",
    ...UNLIMITED,
    ...CONTROL_PLANE.env,
    ...settings,
  };
  return { port, env: { ...cleared, ...own } };
}

/** Starts a control plane on an empty store, with an admin, and with the limit of devices raised. */
export async function openService(settings: Settings = {}): Promise<Service> {
  const dir = temporaryDir("bench");
  const { process: first, port } = await startControlPlane(dir.path, settings);
  let running = first;
  const link = await running.waitForLine(SETUP_LINK);
  const url = `http://127.0.0.1:${port}`;
  const setUp = { token: SETUP_LINK.exec(link)?.[1] ?? "", email: "admin@example.org", password: PASSWORD };
  const visitor = createClient({ baseUrl: url });
  await visitor.service.setUp({ body: setUp });
  const { email, password } = setUp;
  const session = await visitor.sessions.logIn({ body: { email, password } });
  const admin = createClient({ baseUrl: url, token: () => session.access_token });
  await admin.service.changeSettings({ body: { devices_per_account_max: ACCOUNT_DEVICES_MAX } });
  const http = createCaller(port);
  let customers = 0;
  return {
    get process() {
      return running;
    },
    port,
    url,
    socketDir: join(dir.path, "store", "pgdata"),
    admin,
    adminToken: session.access_token,
    password: PASSWORD,
    http,
    async addCustomer() {
      const credentials = { email: `customer${customers++}@example.org`, password: PASSWORD };
      const { id } = await admin.accounts.create({ body: credentials });
      const { access_token } = await createClient({ baseUrl: url }).sessions.logIn({ body: credentials });
      return { accountId: id, token: access_token };
    },
    async kill() {
      running.kill("SIGKILL");
      await running.stop();
    },
    async startAgain() {
      const startedMs = steadyMs();
      const starting = startControlPlane(dir.path, { ...settings, API_PORT: String(port) });
      const listening = waitForPort(port).then(steadyMs);
      running = (await starting).process;
      return { startedMs, listeningMs: await listening };
    },
    async close() {
      http.close();
      await running.stop(15_000);
      dir.remove();
    },
  };
}

/** Resolves when somebody takes connections there. */
async function waitForPort(port: number): Promise<void> {
  for (;;) {
    const isTaken = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isTaken) return;
    await pause(5);
  }
}

export interface TimedStart {
  readonly healthyMs: number;
  stop(): Promise<void>;
}

/** Milliseconds from starting the control plane until it says of itself that it is healthy. */
export async function timeStart(dataDir: string): Promise<TimedStart> {
  const { port, env } = await environmentOf(dataDir);
  const startMs = performance.now();
  const running = await startProcess({
    command: process.execPath,
    args: [...CONTROL_PLANE.flags, MAIN],
    cwd: dataDir,
    env,
  });
  const http = createCaller(port);
  while (!(await isHealthy(http))) await pause(4);
  const healthyMs = performance.now() - startMs;
  http.close();
  return { healthyMs, stop: async () => void (await running.stop(15_000)) };
}

async function isHealthy(http: HttpCaller): Promise<boolean> {
  return http.call("GET", "/api/health").then(
    ({ body }) => body.includes(`"status":"healthy"`),
    () => false,
  );
}

/** Milliseconds that a Node takes that does nothing: the least that any program on it needs to start. */
export async function timeBareNode(): Promise<number> {
  const startMs = performance.now();
  const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  await new Promise((resolve) => child.once("exit", resolve));
  return performance.now() - startMs;
}
