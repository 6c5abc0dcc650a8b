/** Real agents on interfaces that exist in memory only, many in one process: started by `fleet-agents.ts`. */
import { SECOND_MS } from "@securewave/foundation";
import {
  type Agent,
  createAgent,
  createConnect,
  createMemoryDriver,
  type MemoryDriver,
  noHost,
  noStateFile,
  signingKey,
  verifyingKey,
  type WireGuardDriver,
} from "@securewave/node-agent";
import { parsePrivateKey } from "@securewave/wireguard";
import type { AgentOrders, FleetMember, FleetNews, FleetOrder } from "./fleet-orders.ts";
import { steadyMs } from "./statistics.ts";

/** A larger change is a node that is brought up, in which nobody waits for a single key. */
const WATCHED_UPSERTS_MAX = 10;
/** Of so many devices one uses its tunnel. */
const CONNECTED_EACH = 2;
const USE_EVERY_MS = 5 * SECOND_MS;
const USED_BYTES = 4096;

const agents = new Map<string, { readonly agent: Agent; readonly driver: MemoryDriver }>();

process.on("message", (order: FleetOrder) => {
  if (order.kind === "start") start(order.orders);
  else if (order.kind === "use") setInterval(use, USE_EVERY_MS);
  else tell({ kind: "survey", holdings: [...agents.keys()].map(holdingOf) });
});
process.on("disconnect", () => process.exit());

function start(orders: AgentOrders): void {
  for (const member of orders.members) {
    startAgent(member, orders).catch((error: unknown) => {
      throw error;
    });
  }
}

async function startAgent(member: FleetMember, orders: AgentOrders): Promise<void> {
  const { nodeId } = member;
  const privateKey = parsePrivateKey(member.wireguardPrivateKey);
  if (privateKey === undefined) throw new TypeError("a node has a private key");
  const driver = createMemoryDriver();
  const log = (event: string) => {
    if (event === "connected" || event === "disconnected" || event === "applied") {
      tell({ kind: event, nodeId, atMs: steadyMs() });
    }
  };
  const agent = createAgent({
    driver: watched(driver),
    host: noHost,
    connect: createConnect({
      controlPlaneUrl: orders.controlPlaneUrl,
      nodeId,
      credential: signingKey(member.credential),
      controlPlaneKey: verifyingKey(orders.controlPlaneKey),
      log,
    }),
    stateFile: noStateFile,
    interfaceName: nodeId.slice(0, 15),
    privateKey,
    log,
  });
  agents.set(nodeId, { agent, driver });
  await agent.start();
}

/** Tells of each key when the driver has it. */
function watched(driver: MemoryDriver): WireGuardDriver {
  return {
    ...driver,
    async apply(change) {
      const refused = await driver.apply(change);
      const atMs = steadyMs();
      if (change.upserts.length > WATCHED_UPSERTS_MAX) return refused;
      for (const { peer } of change.upserts) tell({ kind: "has", publicKey: peer.publicKey, atMs });
      return refused;
    },
  };
}

function use(): void {
  const lastHandshakeSeconds = Math.floor(Date.now() / SECOND_MS);
  for (const { driver } of agents.values()) {
    let place = 0;
    for (const publicKey of driver.peers.keys()) {
      if (place++ % CONNECTED_EACH !== 0) continue;
      const { receivedBytes = 0, sentBytes = 0 } = driver.counters.get(publicKey) ?? {};
      driver.counters.set(publicKey, {
        publicKey,
        receivedBytes: receivedBytes + USED_BYTES,
        sentBytes: sentBytes + USED_BYTES,
        lastHandshakeSeconds,
        hasEndpoint: true,
      });
    }
  }
}

function holdingOf(nodeId: string) {
  const entry = agents.get(nodeId);
  if (entry === undefined) throw new RangeError("there is no such agent");
  const { connected, revision, hash, problem } = entry.agent.status();
  return { nodeId, isConnected: connected, revision, hash, peers: entry.driver.peers.size, problem };
}

function tell(news: FleetNews): void {
  process.send?.(news);
}
