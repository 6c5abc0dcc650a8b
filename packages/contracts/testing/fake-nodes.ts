import { createId } from "@securewave/foundation";
import { generateKeyPair } from "@securewave/wireguard";
import { type Node, type NodeHealth, type NodeHealthSample, nodeErrors } from "../nodes.ts";
import { type FakeCall, type Mutable, matching, pageOf } from "./fake-call.ts";

const TODAY = "2026-11-20";
const AGENT_VERSION = "0.1.0";
const SAMPLES_OF_AN_HOUR = 120;
const SAMPLE_SECONDS = 30;

const JOIN_TOKEN = "swj_Zk3yVqVwQm0f2T7r1cXn8uLbA5sHdE9pRgYiOjKtWxM";
const JOIN = {
  join_token: JOIN_TOKEN,
  command: `curl -fsSL https://vpn.example.org/install/node.sh | sudo sh -s -- --token ${JOIN_TOKEN} --endpoint YOUR_SERVER_NAME`,
  checksum: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  expires_in: 86_400,
};

type FakeNode = Mutable<Node>;

export interface FakeNodes {
  readonly nodes: FakeNode[];
  /** By node, the oldest first; the others have none. */
  readonly samples: Map<string, NodeHealthSample[]>;
  /** How many devices leave a draining node each time that somebody looks at it. */
  drainPace: number;
  readonly add: (name: string, region: string, more?: Partial<Node>) => FakeNode;
}

/** Nodes of a service: none at first. What is added serves well, but for what `more` says. */
export function createFakeNodes(): FakeNodes {
  const nodes: FakeNode[] = [];
  return {
    nodes,
    samples: new Map(),
    drainPace: 0,
    add(name, region, more = {}) {
      const node = { ...healthyNode(name, region), draining: more.state === "draining", ...more };
      nodes.push(node);
      return node;
    },
  };
}

function healthyNode(name: string, region: string): Node {
  return {
    id: createId("node"),
    name,
    region,
    latitude: 50.1,
    longitude: 8.7,
    capacity: 10_000,
    tags: [],
    state: "healthy",
    problem: null,
    endpoint: { host: `${name.toLowerCase()}.securewave.example`, port: 51820 },
    public_key: generateKeyPair().publicKey,
    devices: 0,
    connected: "0–9",
    revision: 1,
    draining: false,
    quarantined: false,
    applied_revision: 1,
    agent_version: AGENT_VERSION,
    agent_is_current: true,
    joined_on: "2026-10-04",
    removed_on: null,
    former_places_until: null,
    health: fakeHealth(),
  };
}

/** Of a node that serves well, but for what `more` says. */
export function fakeHealth(more: Partial<NodeHealth> = {}): NodeHealth {
  return {
    processor: 0.12,
    memory: 0.34,
    throughput: null,
    troubles: 0,
    connected: "0–9",
    handshake_ms: 18.4,
    echo_ms: 17.9,
    probes_lost: 0,
    ...more,
  };
}

/** An hour of samples, the oldest first: its processor rises from 0 to `processorMax`, evenly. */
export function fakeHour(processorMax = 0.6, more: Partial<NodeHealth> = {}): NodeHealthSample[] {
  return Array.from({ length: SAMPLES_OF_AN_HOUR }, (_, index) => {
    const share = index / (SAMPLES_OF_AN_HOUR - 1);
    return {
      age_seconds: (SAMPLES_OF_AN_HOUR - 1 - index) * SAMPLE_SECONDS,
      ...fakeHealth({ processor: processorMax * share, handshake_ms: 15 + 10 * share, ...more }),
    };
  });
}

export function nodeHandlers(state: FakeNodes) {
  const { nodes, samples, add } = state;
  const find = ({ params }: FakeCall): FakeNode => {
    const node = nodes.find(({ id }) => id === params.id);
    if (!node) throw nodeErrors.notFound();
    return node;
  };
  const demandFreeName = (name: unknown, self?: Node): void => {
    const isTaken = nodes.some((node) => node !== self && !node.removed_on && node.name === name);
    if (isTaken) throw nodeErrors.nameInUse();
  };
  return {
    "nodes.list": ({ query }: FakeCall) => {
      const wantsRemoved = String(query.removed) === "true";
      const kept = nodes.filter(({ removed_on }) => (removed_on !== null) === wantsRemoved);
      const found = matching(kept, query, ({ name }) => name);
      return pageOf(
        found.toSorted((one, other) => one.name.localeCompare(other.name)),
        query,
      );
    },
    "nodes.show": (call: FakeCall) => {
      const node = find(call);
      if (node.state === "draining") node.devices = Math.max(0, node.devices - state.drainPace);
      return node;
    },
    "nodes.create": ({ body: { name, region, ...more } }: FakeCall) => {
      demandFreeName(name);
      const node = add(String(name), String(region), {
        latitude: null,
        longitude: null,
        ...more,
        state: "joining",
        endpoint: null,
        public_key: null,
        applied_revision: null,
        agent_version: null,
        agent_is_current: null,
        joined_on: null,
        health: null,
      });
      return { node, join: JOIN };
    },
    "nodes.change": (call: FakeCall) => {
      const { draining, ...more } = call.body;
      const node = find(call);
      demandFreeName(more.name, node);
      if (draining === true)
        Object.assign(node, {
          draining: true,
          state: node.state === "offline" ? "offline" : "draining",
          former_places_until: node.devices > 0 ? "2026-11-27" : null,
        });
      if (draining === false)
        Object.assign(node, { draining: false, state: node.state === "offline" ? "offline" : "healthy" });
      return Object.assign(node, more);
    },
    "nodes.health": (call: FakeCall) => ({ samples: samples.get(find(call).id) ?? [] }),
    "nodes.renewJoinToken": (call: FakeCall) => find(call) && JOIN,
    "nodes.trust": (call: FakeCall) =>
      Object.assign(find(call), { quarantined: false, state: "healthy", problem: null }),
    "nodes.remove": (call: FakeCall) => {
      const node = find(call);
      if (node.devices > 0) throw nodeErrors.notEmpty();
      const isNow = String(call.query.now) === "true";
      if (node.former_places_until !== null && !isNow) throw nodeErrors.stillUsed();
      Object.assign(node, {
        state: "removed",
        removed_on: TODAY,
        former_places_until: null,
        applied_revision: null,
        health: null,
      });
      return null;
    },
  };
}
