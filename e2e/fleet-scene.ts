import { join } from "node:path";
import type { DeviceWithTunnel, Node } from "@securewave/contracts";
import {
  eventually,
  forwardPort,
  labRequirements,
  openTestRedis,
  type ReceivedMail,
  readOutbox,
  run,
  runOrThrow,
  type TestRedis,
  temporaryDir,
} from "@securewave/testing";
import { generateKeyPair, type PrivateKey } from "@securewave/wireguard";
import { type ControlPlane, killControlPlane } from "./control-plane.ts";
import { type DebianPostgres, hasPostgresPackages, openDebianPostgres } from "./debian-postgres.ts";
import { configOf } from "./device-config.ts";
import { type FleetClient, openFleetClient, serveSpeed } from "./fleet-client.ts";
import {
  CONTROL_ADDRESS,
  createFleetNetwork,
  dropPackets,
  type FleetNetwork,
  type Machine,
  openEntrance,
} from "./fleet-network.ts";
import { joinNode, type NodeMachine, registerNode } from "./node-agent.ts";
import { logIn, PASSWORD, type Person, setUpAdmin } from "./people.ts";
import { processesOf } from "./remains.ts";
import { createReplicaStarter } from "./replicas.ts";

/** Where nodes find the service, by the replica that they are led to while it is there. */
const ENTRANCES = { first: 8000, second: 8100 } as const;
const PORTS = { first: 8001, second: 8002 } as const;
const ADMIN = "admin@example.org";
/** A node reports every 5 s; this is for machines on which much else runs. */
const BACK_WITHIN_MS = 60_000;

export type ReplicaName = keyof typeof PORTS;

/** One of the processes that are the service. */
export interface Replica {
  readonly baseUrl: string;
  readonly admin: Person;
  /** Whether a node connected to this process since it started, and did not leave. */
  hasConnection(node: Node): boolean;
  start(): Promise<void>;
  /** Asks it to end. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** A VPN server of the fleet. */
export interface FleetNode extends NodeMachine {
  readonly address: string;
  /** Keys of the devices that it serves at this moment. */
  peers(): Promise<string[]>;
  holds(publicKey: string): Promise<void>;
  lacks(publicKey: string): Promise<void>;
  /** Cuts it off from the service; customers reach it. Returns how to mend that. */
  cutOff(): Promise<() => Promise<void>>;
  /** Closes the port that customers reach it by. Returns how to open it. */
  closeTunnels(): Promise<() => Promise<void>>;
  /** Limits that the kernel has, in kbit/s, each once. */
  speeds(): Promise<number[]>;
}

export interface FleetDevice {
  readonly device: DeviceWithTunnel;
  readonly privateKey: PrivateKey;
  readonly configuration: string;
}

/** Four nodes in three regions, two replicas over PostgreSQL and Redis, and customers: all that a fleet is made of. */
export interface FleetScene {
  readonly network: FleetNetwork;
  readonly postgres: DebianPostgres;
  readonly redis: TestRedis;
  readonly replicas: Readonly<Record<ReplicaName, Replica>>;
  /** Two of one region, the nearest one to it, and one far away. */
  readonly nodes: Readonly<Record<"one" | "two" | "near" | "far", FleetNode>>;
  /** @returns the same customer at both replicas */
  addPerson(name: string): Promise<Readonly<Record<ReplicaName, Person>>>;
  /** A device whose key was made here, once its node has it. */
  addDevice(person: Person, name: string, node: FleetNode): Promise<FleetDevice>;
  /** A customer's machine, connected by a config. */
  addClient(configuration: string): Promise<FleetClient>;
  show(node: FleetNode): Promise<Node>;
  /** Waits until a node is as expected, for both replicas. */
  becomes(node: FleetNode, expected: (node: Node) => boolean, timeoutMs?: number): Promise<void>;
  lettersTo(email: string): Promise<ReceivedMail[]>;
  close(): Promise<void>;
}

export const fleetRequirements = labRequirements(["nft", "tc", "iperf3", "redis-server", "setpriv"]);
export const isFleetPossible = fleetRequirements.ok && hasPostgresPackages();

export async function openFleetScene(): Promise<FleetScene> {
  const closing: (() => unknown)[] = [];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    return await open(closing, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(closing: (() => unknown)[], close: () => Promise<void>): Promise<FleetScene> {
  const dir = temporaryDir("fleet");
  closing.push(() => dir.remove());
  closing.push(async () => {
    const left = await processesOf(dir.path);
    if (left.length > 0) throw new Error(`left running: ${left.join("; ")}`);
  });
  const network = await createFleetNetwork();
  closing.push(() => network.destroy());
  const { control, internet } = network;
  const [postgres, redis] = await Promise.all([
    openDebianPostgres(control),
    openTestRedis({ namespace: control }),
  ]);
  closing.push(() => Promise.all([postgres.close(), redis.close()]));
  const replicas = await openReplicas({ dir: dir.path, control, postgres, redis }, closing);
  await openEntrance(control, {
    [ENTRANCES.first]: [PORTS.first, PORTS.second],
    [ENTRANCES.second]: [PORTS.second, PORTS.first],
  });
  await serveSpeed(internet);
  const { admin } = replicas.first;

  async function addNode(name: string, place: Parameters<typeof registerNode>[2], via: ReplicaName) {
    const machine = await network.addNode();
    const registered = await registerNode(admin, name, place);
    const node = await joinNode({
      admin,
      namespace: machine.namespace,
      registered,
      endpoint: machine.address,
      controlPlaneUrl: `http://${CONTROL_ADDRESS}:${ENTRANCES[via]}`,
    });
    closing.push(() => node[Symbol.asyncDispose]());
    return fleetNode(node, machine);
  }
  const europe = { region: "Europe", latitude: 52.5, longitude: 13.4 };
  const [one, two, near, far] = await Promise.all([
    addNode("EU-One", europe, "first"),
    addNode("EU-Two", europe, "second"),
    addNode("US-East-1", { region: "America", latitude: 40.7, longitude: -74 }, "first"),
    addNode("AU-Syd-1", { region: "Australia", latitude: -33.9, longitude: 151.2 }, "second"),
  ]);

  const outboxes = Object.keys(PORTS).map((name) => join(dir.path, name, "outbox"));
  return {
    network,
    postgres,
    redis,
    replicas,
    nodes: { one, two, near, far },
    async addPerson(name) {
      const email = `${name}@example.org`;
      await admin.client.accounts.create({ body: { email, password: PASSWORD } });
      const [first, second] = await Promise.all(
        [replicas.first, replicas.second].map(({ baseUrl }) => logIn(baseUrl, email)),
      );
      if (first === undefined || second === undefined) throw new Error("there are two replicas");
      return { first, second };
    },
    async addDevice({ client }, name, { node, holds }) {
      const { publicKey, privateKey } = generateKeyPair();
      const body = { name, public_key: publicKey, server_id: node.id };
      const device = await client.devices.create({ body });
      await holds(publicKey);
      return { device, privateKey, configuration: configOf(privateKey, device) };
    },
    async addClient(configuration) {
      const client = await openFleetClient(await network.addCustomer());
      closing.push(() => client.close());
      await client.use(configuration);
      return client;
    },
    show: ({ node }) => admin.client.nodes.show({ params: { id: node.id } }),
    async becomes({ node }, expected, timeoutMs = BACK_WITHIN_MS) {
      const shown = ({ client }: Person) => client.nodes.show({ params: { id: node.id } });
      await eventually(
        async () => {
          for (const replica of [replicas.first, replicas.second]) {
            const { state, problem, ...rest } = await shown(replica.admin);
            if (!expected({ state, problem, ...rest })) throw new Error(`it is ${state}: ${problem}`);
          }
        },
        { timeoutMs },
      );
    },
    async lettersTo(email) {
      const letters = await Promise.all(outboxes.map((outbox) => readOutbox(outbox).catch(() => [])));
      return letters.flat().filter(({ to }) => to.includes(email));
    },
    close,
  };
}

interface Below {
  readonly dir: string;
  readonly control: string;
  readonly postgres: DebianPostgres;
  readonly redis: TestRedis;
}

async function openReplicas({ dir, control, postgres, redis }: Below, closing: (() => unknown)[]) {
  const launch = createReplicaStarter({
    dir,
    databaseUrl: postgres.url,
    redisUrl: redis.url,
    namespace: control,
    hasNoLimits: true,
    env: { PUBLIC_URL: `http://${CONTROL_ADDRESS}:${ENTRANCES.first}`, NODE_PROBES: "on" },
  });

  async function openReplica(name: ReplicaName, findAdmin: typeof setUpAdmin): Promise<Replica> {
    let plane: ControlPlane = await launch(name, PORTS[name]);
    const way = await forwardPort(control, { host: "127.0.0.1", port: PORTS[name] });
    const baseUrl = `http://127.0.0.1:${way.port}`;
    closing.push(async () => {
      await plane.process.stop();
      await way.close();
    });
    return {
      baseUrl,
      admin: await findAdmin(baseUrl, plane.setupLink),
      hasConnection: ({ id }) =>
        plane.process
          .lines()
          .findLast((line) => line.includes(id) && /"event":"node_(dis)?connected"/.test(line))
          ?.includes("node_connected") ?? false,
      async start() {
        plane = await launch(name, PORTS[name]);
      },
      stop: async () => void (await plane.process.stop()),
      kill: () => killControlPlane(plane),
    };
  }

  const first = await openReplica("first", setUpAdmin);
  return { first, second: await openReplica("second", (baseUrl) => logIn(baseUrl, ADMIN)) };
}

function fleetNode(machine: NodeMachine, { address }: Machine): FleetNode {
  const { namespace, interfaceName } = machine;
  const peers = async () => {
    const { stdout } = await run("wg", ["show", interfaceName, "peers"], { namespace });
    return stdout.split("\n").filter(Boolean);
  };
  const isThere = (publicKey: string, wanted: boolean) =>
    eventually(
      async () => {
        if ((await peers()).includes(publicKey) !== wanted)
          throw new Error(`the node ${wanted ? "lacks" : "holds"} the device`);
      },
      { everyMs: 10 },
    );
  return {
    ...machine,
    address,
    peers,
    holds: (publicKey) => isThere(publicKey, true),
    lacks: (publicKey) => isThere(publicKey, false),
    cutOff: () =>
      dropPackets(namespace, {
        incoming: `ip saddr ${CONTROL_ADDRESS}`,
        outgoing: `ip daddr ${CONTROL_ADDRESS}`,
      }),
    async closeTunnels() {
      const { stdout } = await runOrThrow("wg", ["show", interfaceName, "listen-port"], { namespace });
      const port = stdout.trim();
      return dropPackets(namespace, { incoming: `udp dport ${port}`, outgoing: `udp sport ${port}` });
    },
    async speeds() {
      const { stdout: links } = await runOrThrow("ip", ["-o", "link", "show", "type", "ifb"], { namespace });
      const names = [...links.matchAll(/^\d+: (\w+):/gm)].map(([, name = ""]) => name);
      const shown = await Promise.all(
        names.map((name) => runOrThrow("tc", ["class", "show", "dev", name], { namespace })),
      );
      return ratesIn(shown.map(({ stdout }) => stdout).join("\n"));
    },
  };
}

/** What `tc class show` says: `rate 10Mbit`. */
function ratesIn(shown: string): number[] {
  const units = { "": 0.001, K: 1, M: 1000, G: 1_000_000 };
  const rates = [...shown.matchAll(/ rate (\d+)([KMG]?)bit/g)].map(
    ([, digits, unit = ""]) => Number(digits) * units[unit as keyof typeof units],
  );
  return [...new Set(rates)];
}

/** Moves a connected device to another node and its client after it. @returns pings that nothing answered */
export async function packetsLostByMoving(
  owner: Person,
  { device, privateKey }: FleetDevice,
  client: FleetClient,
  to: FleetNode,
): Promise<number> {
  await using pings = await client.pings();
  const moved = await owner.client.devices.move({
    params: { id: device.id },
    body: { server_id: to.node.id },
  });
  await to.holds(device.public_key);
  await client.use(configOf(privateKey, moved));
  await settled();
  return pings.lostSince(0);
}

/** Gives a connected device a new key and its client the new config. @returns with the pings that nothing answered */
export async function packetsLostByRotating(
  owner: Person,
  { device }: FleetDevice,
  client: FleetClient,
  node: FleetNode,
): Promise<{ lost: number; rotated: FleetDevice }> {
  await using pings = await client.pings();
  const { publicKey, privateKey } = generateKeyPair();
  const rotated = await owner.client.devices.rotate({
    params: { id: device.id },
    body: { public_key: publicKey },
  });
  await node.holds(publicKey);
  const configuration = configOf(privateKey, rotated);
  await client.use(configuration);
  await settled();
  return { lost: pings.lostSince(0), rotated: { device: rotated, privateKey, configuration } };
}

/** Long enough for what was sent before to be answered. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 500));
}
