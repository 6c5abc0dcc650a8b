import type { NodeState } from "@securewave/contracts";

/** Of nodes that are there, the worst first. */
export const LIVE_STATES = [
  "offline",
  "degraded",
  "draining",
  "joining",
  "healthy",
] as const satisfies readonly NodeState[];
export type LiveState = (typeof LIVE_STATES)[number];

export const FLEET_ORDERS = [
  "name",
  "state",
  "devices",
  "connected",
  "handshake",
  "throughput",
  "agent",
] as const;
export type FleetOrder = (typeof FLEET_ORDERS)[number];

/** Which nodes are shown, and in what order; stands in the address bar, so that a view can be kept and shared. */
export interface FleetFilter {
  readonly search?: string | undefined;
  readonly state?: LiveState | undefined;
  readonly region?: string | undefined;
  /** By name where nothing is said. */
  readonly order?: FleetOrder | undefined;
  readonly isDescending?: true | undefined;
  /** Those that were removed, and only those. */
  readonly removed?: true | undefined;
}

/** Reads a filter from the address bar; what cannot be is undefined. */
export function parseFleetFilter(raw: Readonly<Record<string, unknown>>): FleetFilter {
  return {
    search: parseText(raw.search),
    state: LIVE_STATES.find((state) => state === raw.state),
    region: parseText(raw.region),
    order: FLEET_ORDERS.find((order) => order === raw.order),
    isDescending: raw.isDescending === true || undefined,
    removed: raw.removed === true || undefined,
  };
}

function parseText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= 100 ? value : undefined;
}
