import type { Coordinates } from "./place.ts";

export type ServerState = "joining" | "healthy" | "degraded" | "draining" | "offline";

/** What placement knows of a VPN server. */
export type Server = {
  readonly id: string;
  readonly region: string;
  readonly state: ServerState;
  readonly coordinates?: Coordinates | undefined;
  /** Devices that it has, and that it may have. */
  readonly peers: number;
  readonly capacity: number;
  /** Measured by the server itself, 0…1: the scarcest of its processor and its network. */
  readonly load?: number | undefined;
  /** What a plan must allow: the server is for those whose plan allows all of them. */
  readonly tags: readonly string[];
};

/** Healthy or degraded, and with room: what has not joined, drains, is offline or full takes no device. */
export function takesDevices({ state, peers, capacity }: Server): boolean {
  return (state === "healthy" || state === "degraded") && peers < capacity;
}

/** 0…1: the scarcer of room and measured load. What is no number counts as full. */
export function loadOf({ peers, capacity, load = 0 }: Server): number {
  const used = capacity > 0 ? Math.max(peers / capacity, load) : 1;
  return Number.isNaN(used) ? 1 : Math.min(1, Math.max(0, used));
}
