import { join } from "node:path";
import type { DeviceWithTunnel, Node } from "@securewave/contracts";
import {
  eventually,
  labRequirements,
  openTestRedis,
  type ReceivedMail,
  readOutbox,
  type TestRedis,
  temporaryDir,
} from "@securewave/testing";
import { generateKeyPair, type PrivateKey } from "@securewave/wireguard";
import { type DebianPostgres, hasPostgresPackages, openDebianPostgres } from "./debian-postgres.ts";
import { configOf } from "./device-config.ts";
import { type FleetClient, openFleetClient, serveSpeed } from "./fleet-client.ts";
import { createFleetNetwork, type FleetNetwork } from "./fleet-network.ts";
import { type FleetNode, fleetNode } from "./fleet-node.ts";
import {
  openReplicas,
  REPLICA_NAMES,
  type ReplicaName,
  type Replicas,
  urlLeadingTo,
} from "./fleet-replicas.ts";
import { joinNode, registerNode } from "./node-agent.ts";
import { logIn, PASSWORD, type Person } from "./people.ts";
import { processesOf } from "./remains.ts";

/** A node reports every 5 s; this is for machines on which much else runs. */
const BACK_WITHIN_MS = 60_000;

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
  readonly replicas: Replicas;
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
      controlPlaneUrl: urlLeadingTo(via),
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

  const outboxes = REPLICA_NAMES.map((name) => join(dir.path, name, "outbox"));
  return {
    network,
    postgres,
    redis,
    replicas,
    nodes: { one, two, near, far },
    async addPerson(name) {
      const email = `${name}@example.org`;
      await admin.client.accounts.create({ body: { email, password: PASSWORD } });
      const at = (name: ReplicaName) => logIn(replicas[name].baseUrl, email);
      return { first: await at("first"), second: await at("second") };
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
          for (const name of REPLICA_NAMES) {
            const found = await shown(replicas[name].admin);
            if (!expected(found)) throw new Error(`it is ${found.state}: ${found.problem}`);
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
