import type { Node, NodeState } from "@securewave/contracts";
import { humanDay } from "../human.ts";
import { type Column, type Output, plain, type Style } from "../output.ts";

/** In the order that an operator wants to read them: worst first. */
export const NODE_STATES = [
  "offline",
  "degraded",
  "joining",
  "draining",
  "healthy",
] as const satisfies readonly NodeState[];

export const NODE_STATE_STYLES: Readonly<Record<NodeState, Style>> = {
  joining: "cyan",
  healthy: "green",
  degraded: "yellow",
  draining: "yellow",
  offline: "red",
};

export const NODE_COLUMNS: readonly Column<Node>[] = [
  { title: "NAME", value: (node) => node.name, style: () => "bold" },
  { title: "STATE", value: (node) => node.state, style: (node) => NODE_STATE_STYLES[node.state] },
  { title: "REGION", value: (node) => node.region },
  { title: "DEVICES", value: (node) => `${node.devices}/${node.capacity}`, align: "right" },
  { title: "CONNECTED", value: (node) => node.connected, align: "right" },
  { title: "BEHIND", value: behind, align: "right" },
  { title: "PROBLEM", value: (node) => node.problem ?? "" },
];

/** How many changes a node has yet to apply. */
function behind(node: Node): string {
  return node.applied_revision === null ? "-" : String(node.revision - node.applied_revision);
}

export function nodeFields(out: Output, node: Node, nowMs: number): [string, string | undefined][] {
  const { endpoint, latitude, longitude } = node;
  return [
    ["Node", node.name],
    ["Id", node.id],
    ["State", out.style(NODE_STATE_STYLES[node.state], node.state)],
    ["Problem", node.problem === null ? undefined : out.style("yellow", plain(node.problem))],
    ["Region", plain(node.region)],
    ["Place", latitude === null || longitude === null ? undefined : `${latitude}, ${longitude}`],
    ["Tags", node.tags.length === 0 ? undefined : node.tags.join(", ")],
    ["Devices", `${node.devices} of at most ${node.capacity}`],
    ["Connected", node.connected],
    ["Endpoint", endpoint === null ? undefined : endpointText(endpoint)],
    ["Public key", node.public_key ?? undefined],
    ["Revision", revisionText(node)],
    ["Agent", node.agent_version === null ? undefined : plain(node.agent_version)],
    ["Joined", node.joined_on === null ? "not yet" : humanDay(node.joined_on, nowMs)],
  ];
}

function endpointText({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function revisionText({ revision, applied_revision }: Node): string {
  if (applied_revision === null) return `${revision}, applied unknown while offline`;
  return applied_revision === revision ? `${revision}, applied` : `${revision}, applied ${applied_revision}`;
}
