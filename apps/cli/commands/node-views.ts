import type { Node, NodeState } from "@securewave/contracts";
import { formatEndpoint } from "@securewave/wireguard";
import { counted, humanDay } from "../human.ts";
import { type Column, type Output, plain, type Style } from "../output.ts";
import { milliseconds, percent } from "./health-figures.ts";

/** In the order that an operator wants to read them: worst first. */
export const NODE_STATES: readonly NodeState[] = ["offline", "degraded", "joining", "draining", "healthy"];

const TROUBLES_SHOWN_MAX = 10;

export const NODE_STATE_STYLES: Readonly<Record<NodeState, Style>> = {
  joining: "cyan",
  healthy: "green",
  degraded: "yellow",
  draining: "yellow",
  offline: "red",
  removed: "dim",
};

const UNKNOWN = "-";

const NODE_COLUMNS: readonly Column<Node>[] = [
  { title: "NAME", value: (node) => node.name, style: () => "bold" },
  { title: "STATE", value: (node) => node.state, style: (node) => NODE_STATE_STYLES[node.state] },
  { title: "REGION", value: (node) => node.region },
  { title: "DEVICES", value: (node) => `${node.devices}/${node.capacity}`, align: "right" },
  { title: "CONNECTED", value: (node) => node.connected, align: "right" },
  { title: "HANDSHAKE", value: (node) => milliseconds(node.health?.handshake_ms) ?? UNKNOWN, align: "right" },
  { title: "THROUGHPUT", value: (node) => node.health?.throughput ?? UNKNOWN, align: "right" },
  {
    title: "AGENT",
    value: (node) => node.agent_version ?? UNKNOWN,
    style: (node) => (node.agent_is_current === false ? "yellow" : undefined),
  },
  { title: "PROBLEM", value: (node) => node.problem ?? "" },
];

/** Those of the columns in which something is known of one of the nodes. */
export function nodeColumns(nodes: readonly Node[]): Column<Node>[] {
  return NODE_COLUMNS.filter(({ value }) => nodes.some((node) => value(node) !== UNKNOWN));
}

export const REMOVED_NODE_COLUMNS: readonly Column<Node>[] = [
  { title: "NAME", value: (node) => node.name, style: () => "bold" },
  { title: "REGION", value: (node) => node.region },
  { title: "JOINED", value: (node) => node.joined_on ?? "never" },
  { title: "REMOVED", value: (node) => node.removed_on ?? "" },
  { title: "ID", value: (node) => node.id },
];

/** Whether somebody has to look after it. */
export function isInTrouble({ state, problem }: Node): boolean {
  return problem !== null || state === "offline" || state === "degraded";
}

/** Those that somebody has to look after, the worst first. */
export function troublesOf(nodes: readonly Node[]): Node[] {
  return nodes
    .filter(isInTrouble)
    .sort((one, other) => NODE_STATES.indexOf(one.state) - NODE_STATES.indexOf(other.state));
}

/** The worst of what is wrong with nodes, a line each; undefined where nothing is. */
export function renderTroubles(out: Output, nodes: readonly Node[]): string | undefined {
  const troubles = troublesOf(nodes);
  const shown = troubles.slice(0, TROUBLES_SHOWN_MAX);
  const lines = shown.map(({ name, problem, state }) => {
    return `${out.style(NODE_STATE_STYLES[state], name)}: ${plain(problem ?? `It is ${state}.`)}`;
  });
  const others = troubles.length - shown.length;
  if (others > 0) lines.push(`and ${counted(others, "node")} more: securewave nodes list --check`);
  return lines.length === 0 ? undefined : lines.join("\n");
}

export function countStates(nodes: readonly Node[]): [NodeState, number][] {
  return NODE_STATES.map((state) => [state, nodes.filter((node) => node.state === state).length]);
}

export function nodeFields(out: Output, node: Node, nowMs: number): [string, string | undefined][] {
  const { endpoint, latitude, longitude, former_places_until, removed_on } = node;
  return [
    ["Node", node.name],
    ["Id", node.id],
    ["State", out.style(NODE_STATE_STYLES[node.state], node.state)],
    ["Problem", node.problem === null ? undefined : out.style("yellow", plain(node.problem))],
    ["Quarantined", node.quarantined ? `yes; end it: securewave nodes trust ${node.name}` : undefined],
    ["Region", plain(node.region)],
    ["Place", latitude === null || longitude === null ? undefined : `${latitude}, ${longitude}`],
    ["Tags", node.tags.length === 0 ? undefined : node.tags.join(", ")],
    ["Devices", `${node.devices} of at most ${node.capacity}`],
    ["Former places", former_places_until === null ? undefined : `work until ${former_places_until} (UTC)`],
    ["Connected", node.connected],
    ...healthFields(node),
    ["Endpoint", endpoint === null ? undefined : formatEndpoint(endpoint)],
    ["Public key", node.public_key ?? undefined],
    ["Revision", revisionText(node)],
    ["Agent", agentText(out, node)],
    ["Joined", node.joined_on === null ? "not yet" : humanDay(node.joined_on, nowMs)],
    ["Removed", removed_on === null ? undefined : humanDay(removed_on, nowMs)],
  ];
}

function healthFields({ health }: Node): [string, string | undefined][] {
  if (health === null) return [];
  return [
    ["Throughput", health.throughput ?? undefined],
    ["Processor", percent(health.processor)],
    ["Memory", percent(health.memory)],
    ["Packets dropped", health.troubles ? `${health.troubles} in five seconds` : undefined],
    ["Handshake", milliseconds(health.handshake_ms)],
    ["Echo", milliseconds(health.echo_ms)],
    ["Probes lost", health.probes_lost ? percent(health.probes_lost) : undefined],
  ];
}

function agentText(out: Output, { agent_version, agent_is_current }: Node): string | undefined {
  if (agent_version === null) return undefined;
  const version = plain(agent_version);
  if (agent_is_current === null) return version;
  return agent_is_current ? `${version}, current` : out.style("yellow", `${version}, not the current one`);
}

function revisionText({ revision, applied_revision }: Node): string {
  if (applied_revision === null) return `${revision}, applied unknown while offline`;
  return applied_revision === revision ? `${revision}, applied` : `${revision}, applied ${applied_revision}`;
}
