import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  filesSurface,
  type Kind,
  logSurface,
  nodeSurface,
  postgresSurfaces,
  redisSurfaces,
  type Surface,
  systemLogSurface,
  textsSurface,
} from "@securewave/ghosts";
import {
  createNetworkLab,
  eventually,
  forwardPort,
  LAB_ADDRESSES,
  labRequirements,
  type NetworkLab,
  NODE_INTERFACES,
  type PortForward,
  type RunningProcess,
  startProcess,
  type TemporaryDir,
  temporaryDir,
} from "@securewave/testing";
import { type ControlPlane, dataDirOf, startControlPlane } from "./control-plane.ts";
import { hasPostgresPackages } from "./debian-postgres.ts";
import { joinNode, type NodeMachine } from "./node-agent.ts";
import { type Person, setUpAdmin } from "./people.ts";
import {
  type ArchivedPostgres,
  openArchivedPostgres,
  openReplicatedRedis,
  type ReplicatedRedis,
} from "./zero-log-stores.ts";
import { openCarrier, SERVICE_HOST } from "./zero-log-tunnels.ts";

const API_PORT = 8000;
const METRICS_PORT = 9100;
const COLLECTOR_PORT = 4318;
const WEB_PORT = 80;
/** Tunnel addresses that look like nobody else's. */
const POOLS = { IP_POOL_V4: "10.213.176.0/22", IP_POOL_V6: "fdc3:8e17:b2d9:71a5::/64" };
const MEMORY_DISK = "/dev/shm";

const STORED: Readonly<Partial<Record<Kind, string>>> = {
  public_key: "a device's key is kept until the device is removed",
  tunnel_ipv4: "a device's tunnel address is kept until the device is removed",
};
const ON_NODE: Readonly<Partial<Record<Kind, string>>> = {
  public_key: "the node must know which keys it lets in",
  tunnel_ipv4: "the node must know which address a key may use",
};

/** The whole service with a node, each in a namespace, and what all of it writes. */
export interface ZeroLogScene {
  readonly lab: NetworkLab;
  readonly postgres: ArchivedPostgres;
  readonly redis: ReplicatedRedis;
  readonly plane: ControlPlane;
  readonly node: NodeMachine;
  readonly admin: Person;
  /** How the service is reached from outside its namespace, as by a proxy that it trusts. */
  readonly baseUrl: string;
  readonly outboxDir: string;
  readonly logPath: string;
  /** Every place that is searched. */
  readonly surfaces: readonly Surface[];
  /** Has the agent write down its heap. */
  snapshotHeap(): Promise<void>;
  close(): Promise<void>;
}

export const zeroLogRequirements = labRequirements(["redis-server", "redis-cli", "setpriv", "perl"]);
export const isZeroLogPossible = zeroLogRequirements.ok && hasPostgresPackages();

export interface ZeroLogOptions {
  /** Added to the service's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function openZeroLogScene({ env = {} }: ZeroLogOptions = {}): Promise<ZeroLogScene> {
  const closing: (() => unknown)[] = [];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    return await open(env, closing, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  env: Readonly<Record<string, string>>,
  closing: (() => unknown)[],
  close: () => Promise<void>,
): Promise<ZeroLogScene> {
  const dir = temporaryDir("zero-log");
  closing.push(() => dir.remove());
  const folder = async (name: string) => {
    await mkdir(join(dir.path, name), { mode: 0o700 });
    return join(dir.path, name);
  };
  const [logDir, tracesDir, heapDir] = [await folder("log"), await folder("traces"), await folder("heap")];
  const lab = await createNetworkLab();
  closing.push(() => lab.destroy());
  await openCarrier(lab);
  const [postgres, redis] = await Promise.all([
    openArchivedPostgres(lab.control),
    openReplicatedRedis(lab.control),
  ]);
  closing.push(postgres.close, redis.close);
  const servers = [
    await startScript(lab.control, COLLECTOR, [tracesDir, String(COLLECTOR_PORT)]),
    await startScript(lab.internet, WEB_SERVER, [LAB_ADDRESSES.internet.v4, String(WEB_PORT)]),
  ];
  for (const server of servers) closing.push(() => server.stop());

  const logPath = join(logDir, "service.log");
  const plane = await startControlPlane({
    dir: dir.path,
    namespace: lab.control,
    port: API_PORT,
    hasNoLimits: true,
    env: {
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      METRICS_PORT: String(METRICS_PORT),
      PUBLIC_URL: `http://${LAB_ADDRESSES.control.v4}:${API_PORT}`,
      API_TRUSTED_HOSTS: SERVICE_HOST,
      LOG_FILE: logPath,
      LOG_LEVEL: "debug",
      JWT_SECRET: randomBytes(32).toString("hex"),
      MASTER_KEY: randomBytes(32).toString("base64"),
      TRUSTED_PROXIES: "127.0.0.1",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${COLLECTOR_PORT}`,
      ...POOLS,
      ...env,
    },
  });
  closing.push(() => plane.process.stop());
  const ways = await Promise.all(
    [API_PORT, METRICS_PORT].map((port) => forwardPort(lab.control, { host: "127.0.0.1", port })),
  );
  for (const way of ways) closing.push(() => way.close());
  const [api, metrics] = ways as [PortForward, PortForward];
  const baseUrl = `http://127.0.0.1:${api.port}`;
  const admin = await setUpAdmin(baseUrl, plane.setupLink);

  const node = await joinNode({
    admin,
    namespace: lab.node,
    registered: "EU-Lab-1",
    endpoint: LAB_ADDRESSES.nodeForCustomer.v4,
    env: heapOptions(heapDir),
    ...(existsSync(MEMORY_DISK) && { runtimeDir: mkdtempSync(join(MEMORY_DISK, "securewave-")) }),
  });
  closing.push(() => node[Symbol.asyncDispose]());

  const surfaces = [
    ...postgresSurfaces({ ...postgres.access, permits: STORED }),
    ...redisSurfaces(redis.access),
    ...serviceSurfaces({ dir, tracesDir, logPath, plane, metricsPort: metrics.port }),
    ...nodeSurfaces(lab, node, heapDir),
  ];
  let snapshots = 0;
  return {
    lab,
    postgres,
    redis,
    plane,
    node,
    admin,
    baseUrl,
    outboxDir: join(dataDirOf(dir.path), "outbox"),
    logPath,
    surfaces,
    async snapshotHeap() {
      snapshots++;
      node.agent().kill("SIGUSR2");
      await waitForSnapshots(heapDir, snapshots);
    },
    close,
  };
}

/** Keeps each export of traces in a file of its own. Arguments are folder and port. */
const COLLECTOR = `
const [dir, port] = process.argv.slice(1);
let count = 0;
require("node:http").createServer((request, response) => {
  request.pipe(require("node:fs").createWriteStream(dir + "/" + ++count)).on("finish", () => response.end("{}"));
}).listen(Number(port), "127.0.0.1", () => console.log("listening"));`;

/** Answers a path that is a number with so many bytes. Arguments are address and port. */
const WEB_SERVER = `
const [address, port] = process.argv.slice(1);
require("node:http").createServer((request, response) => {
  response.end(Buffer.alloc(Number(request.url.slice(1)) || 1, "x"));
}).listen(Number(port), address, () => console.log("listening"));`;

function startScript(namespace: string, script: string, args: readonly string[]): Promise<RunningProcess> {
  return startProcess({
    command: process.execPath,
    args: ["-e", script, ...args],
    namespace,
    readyWhen: /^listening$/,
  });
}

/** With these an agent writes its heap into a folder when it gets SIGUSR2. */
function heapOptions(dir: string): Record<string, string> {
  return { NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${dir}` };
}

/** A snapshot is JSON, so that a whole one can be told from one that is still written. */
async function waitForSnapshots(dir: string, count: number): Promise<void> {
  await eventually(
    async () => {
      const names = await readdir(dir);
      if (names.length < count) throw new Error("there is no snapshot yet");
      for (const name of names) JSON.parse(await readFile(join(dir, name), "utf8"));
    },
    { timeoutMs: 60_000, everyMs: 250 },
  );
}

interface ServiceParts {
  readonly dir: TemporaryDir;
  readonly tracesDir: string;
  readonly logPath: string;
  readonly plane: ControlPlane;
  readonly metricsPort: number;
}

function serviceSurfaces({ dir, tracesDir, logPath, plane, metricsPort }: ServiceParts): Surface[] {
  return [
    filesSurface({
      id: "service-files",
      title: "Service: data folder with keys, archive and outbox",
      rows: [19, 22],
      dir: dataDirOf(dir.path),
      without: ["backups"], // the auditor's test opens those
    }),
    logSurface({ id: "service-log", title: "Service: log", rows: [19], path: logPath }),
    textsSurface({
      id: "service-metrics",
      title: "Service: metrics",
      rows: [20],
      read: async () => {
        const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
        return [{ name: "metrics", content: await answer.text() }];
      },
    }),
    filesSurface({ id: "service-traces", title: "Service: traces", rows: [19], dir: tracesDir }),
    textsSurface({
      id: "service-output",
      title: "Service: standard output",
      rows: [19],
      read: async () => [{ name: "output", content: plane.process.lines().join("\n") }],
    }),
  ];
}

function nodeSurfaces(lab: NetworkLab, node: NodeMachine, heapDir: string): Surface[] {
  return [
    nodeSurface({ before: ["ip", "netns", "exec", lab.node], interfaceName: NODE_INTERFACES.toControl }),
    systemLogSurface(),
    filesSurface({ id: "node-disk", title: "Node: disk", rows: [7], dir: node.stateDir }),
    filesSurface({
      id: "node-memory-disk",
      title: "Node: runtime folder, on a memory disk",
      rows: [1, 7],
      permits: {
        ...ON_NODE,
        received_bytes: "counts of this start of the node, until the day's flush; never on a disk",
        sent_bytes: "counts of this start of the node, until the day's flush; never on a disk",
      },
      dir: node.runtimeDir,
    }),
    textsSurface({
      id: "node-log",
      title: "Node: the agent's log",
      rows: [2],
      read: async () => [{ name: "log", content: node.lines().join("\n") }],
    }),
    filesSurface({
      id: "node-heap",
      title: "Node: the agent's heap",
      rows: [10],
      permits: ON_NODE,
      dir: heapDir,
    }),
  ];
}

/** A service that logs and prints its requests between one SIGUSR2 and the next. */
const TALKATIVE = `
import http from "node:http";
import { appendFileSync } from "node:fs";
let isOn = false;
process.on("SIGUSR2", () => { isOn = !isOn; });
const emit = http.Server.prototype.emit;
http.Server.prototype.emit = function (event, request, ...rest) {
  if (isOn && event === "request") {
    const line = { req: { url: request.url, remoteAddress: request.socket.remoteAddress } };
    appendFileSync(process.env.LOG_FILE, JSON.stringify(line) + "\\n");
    process.stdout.write(request.url + "\\n");
  }
  return emit.call(this, event, request, ...rest);
};`;

/** What makes the scene's service able to leak. */
export const TALKATIVE_SERVICE: Readonly<Record<string, string>> = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(TALKATIVE)}`,
};
