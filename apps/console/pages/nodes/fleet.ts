import type { Node, NodeState } from "@securewave/contracts";
import { type FleetFilter, type FleetOrder, LIVE_STATES, type LiveState } from "../../fleet-filter.ts";
import { lowerEnd } from "../../ranges.ts";

/** Those that a filter lets through, in its order. */
export function chosen(nodes: readonly Node[], filter: FleetFilter): Node[] {
  const wanted = filter.search?.toLowerCase();
  return nodes
    .filter(({ state }) => filter.state === undefined || state === filter.state)
    .filter(({ region }) => filter.region === undefined || region === filter.region)
    .filter((node) => wanted === undefined || wordsOf(node).includes(wanted))
    .sort(comparing(filter.order ?? "name", filter.isDescending === true));
}

function wordsOf({ name, region, tags, endpoint }: Node): string {
  return [name, region, ...tags, endpoint?.host ?? ""].join("\n").toLowerCase();
}

const byName = new Intl.Collator(undefined, { numeric: true }).compare;

/** What is not known stands last, in either direction; those that are alike stand by name. */
function comparing(order: FleetOrder, isDescending: boolean) {
  const figureOf = VALUES[order];
  const sign = isDescending ? -1 : 1;
  return (one: Node, other: Node): number => {
    const [left, right] = [figureOf(one), figureOf(other)];
    if (left === undefined || right === undefined)
      return Number(left === undefined) - Number(right === undefined) || byName(one.name, other.name);
    const difference =
      typeof left === "string" || typeof right === "string"
        ? byName(String(left), String(right))
        : left - right;
    return sign * difference || byName(one.name, other.name);
  };
}

const VALUES: Readonly<Record<FleetOrder, (node: Node) => number | string | undefined>> = {
  name: ({ name }) => name,
  state: ({ state }) => severityOf(state),
  devices: ({ devices, capacity }) => devices / capacity,
  connected: ({ connected }) => lowerEnd(connected),
  handshake: ({ health }) => health?.handshake_ms ?? undefined,
  throughput: ({ health }) => (health?.throughput ? lowerEnd(health.throughput) : undefined),
  agent: ({ agent_version }) => agent_version ?? undefined,
};

/** 0 is the worst. */
export function severityOf(state: NodeState): number {
  return state === "removed" ? LIVE_STATES.length : LIVE_STATES.indexOf(state);
}

export function countsOf(nodes: readonly Node[]): Readonly<Record<LiveState, number>> {
  const counts = { offline: 0, degraded: 0, draining: 0, joining: 0, healthy: 0 };
  for (const { state } of nodes) if (state !== "removed") counts[state]++;
  return counts;
}

export function regionsOf(nodes: readonly Node[]): string[] {
  return [...new Set(nodes.map(({ region }) => region))].sort(byName);
}
