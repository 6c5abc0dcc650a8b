import { setTimeout as pause } from "node:timers/promises";
import { createClient, type Node } from "@securewave/contracts";
import { createCredential } from "@securewave/node-agent";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { type FleetAgents, startAgents } from "./fleet-agents.ts";
import type { FleetMember } from "./fleet-orders.ts";
import { type FleetRows, openFleetRows } from "./fleet-rows.ts";
import { ACCOUNT_DEVICES_MAX, type Customer, openService, type Service } from "./service.ts";
import { inParallel } from "./statistics.ts";

const SETTINGS = {
  IP_POOL_V4: "10.0.0.0/12", // a /16 has no addresses for 100,000 devices
  NODE_PROBES: "off", // nobody answers handshakes where interfaces exist in memory only
};
const CALLERS = 8;
const REGIONS = 10;
const PAGE = 100;
const IN_SYNC_WITHIN_MS = 60_000;

interface FleetSize {
  readonly nodes: number;
  readonly devicesEach: number;
}

/** A service with many nodes and real agents, all in sync. */
export interface FleetScene {
  readonly service: Service;
  readonly agents: FleetAgents;
  /** A customer who may have devices yet. */
  nextCustomer(): Promise<Customer>;
  /**
   * Nodes that are as they should be: the agent is connected, holds the revision that the table says and as many peers as
   * the API says the node has devices, and the API calls it healthy. Waits for all of them, but no longer than a minute.
   */
  countInSync(): Promise<number>;
  /** Of all nodes together, as the API says. */
  countDevices(): Promise<number>;
  close(): Promise<void>;
}

export async function openFleet(size: FleetSize, progress: (text: string) => void): Promise<FleetScene> {
  const service = await openService(SETTINGS);
  const rows = openFleetRows(service);
  let agents: FleetAgents | undefined;
  const close = async () => {
    await agents?.close();
    await rows[Symbol.asyncDispose]();
    await service.close();
  };
  try {
    progress(`  ${size.nodes} nodes join`);
    const { members, controlPlaneKey } = await joinNodes(service, size.nodes);
    const nodeIds = members.map(({ nodeId }) => nodeId);
    progress(`  ${size.nodes * size.devicesEach} devices`);
    await rows.fill(nodeIds, size.devicesEach);
    await service.kill();
    await service.startAgain();
    agents = startAgents({ controlPlaneUrl: service.url, controlPlaneKey, members });
    await agents.nextSync();
    agents.use();
    return sceneOf({ service, agents, rows, close });
  } catch (error) {
    await close();
    throw error;
  }
}

function sceneOf(
  parts: Pick<FleetScene, "service" | "agents" | "close"> & { readonly rows: FleetRows },
): FleetScene {
  const { service, agents, rows, close } = parts;
  let customer: Promise<Customer> | undefined;
  let devices = 0;

  async function countOnce(): Promise<{ inSync: number; of: number }> {
    const [shown, revisions, holdings] = [
      await listNodes(service),
      await rows.revisions(),
      await agents.survey(),
    ];
    const held = new Map(holdings.map((holding) => [holding.nodeId, holding]));
    const inSync = shown.filter(({ id, state, revision, applied_revision, devices }) => {
      const holding = held.get(id);
      const wanted = revisions.get(id);
      return (
        state === "healthy" &&
        revision === wanted &&
        applied_revision === wanted &&
        holding?.isConnected === true &&
        holding.problem === null &&
        holding.revision === wanted &&
        holding.peers === devices
      );
    });
    return { inSync: inSync.length, of: shown.length };
  }

  return {
    service,
    agents,
    close,
    nextCustomer() {
      if (customer === undefined || ++devices > ACCOUNT_DEVICES_MAX) {
        customer = service.addCustomer();
        devices = 1;
      }
      return customer;
    },
    async countInSync() {
      const deadline = performance.now() + IN_SYNC_WITHIN_MS;
      for (;;) {
        const { inSync, of } = await countOnce();
        if (inSync === of || performance.now() > deadline) return inSync;
        await pause(500);
      }
    },
    countDevices: async () => (await listNodes(service)).reduce((sum, { devices }) => sum + devices, 0),
  };
}

/** Makes nodes and has them join, as `securewave-node join` does. */
async function joinNodes(
  { admin, url }: Service,
  count: number,
): Promise<{ members: FleetMember[]; controlPlaneKey: string }> {
  const members: FleetMember[] = [];
  const visitor = createClient({ baseUrl: url });
  let controlPlaneKey = "";
  await inParallel(CALLERS, count, async (number) => {
    const { join } = await admin.nodes.create({
      body: { name: `fleet-${number}`, region: `Region ${number % REGIONS}` },
    });
    const credential = createCredential();
    const { publicKey, privateKey } = generateKeyPair();
    const joined = await visitor.nodes.join({
      body: {
        token: join.join_token,
        credential: credential.publicKey,
        wireguard_public_key: publicKey,
        endpoint: { host: `node-${number}.example.org`, port: 51820 },
        agent_version: "0.1.0",
      },
    });
    controlPlaneKey = joined.control_plane_key;
    members.push({
      nodeId: joined.node_id,
      credential: credential.privateKey,
      wireguardPrivateKey: privateKey,
    });
  });
  return { members, controlPlaneKey };
}

async function listNodes({ admin }: Service): Promise<Node[]> {
  const found: Node[] = [];
  let cursor: string | null = null;
  do {
    const query: { limit: number; cursor?: string } = { limit: PAGE, ...(cursor === null ? {} : { cursor }) };
    const page = await admin.nodes.list({ query });
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return found;
}
