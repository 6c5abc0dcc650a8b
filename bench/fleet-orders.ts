/** What a process of many agents is told and tells, by Node's channel between parent and child. */

/** One node that has joined. */
export interface FleetMember {
  readonly nodeId: string;
  /** PKCS #8 DER in base64url. */
  readonly credential: string;
  readonly wireguardPrivateKey: string;
}

export interface AgentOrders {
  readonly controlPlaneUrl: string;
  /** 32 bytes in base64url. */
  readonly controlPlaneKey: string;
  readonly members: readonly FleetMember[];
}

export type FleetOrder =
  | { readonly kind: "start"; readonly orders: AgentOrders }
  | { readonly kind: "survey" }
  /** Has half of each node's devices use their tunnels from here on. */
  | { readonly kind: "use" };

/** What an agent holds. */
export interface Holding {
  readonly nodeId: string;
  readonly isConnected: boolean;
  readonly revision: number | null;
  readonly hash: string;
  /** In its driver. */
  readonly peers: number;
  readonly problem: string | null;
}

/** Times are of the clock that `steadyMs` reads. */
export type FleetNews =
  | { readonly kind: "connected" | "disconnected"; readonly nodeId: string; readonly atMs: number }
  /** It holds what it was told last, and has said so. */
  | { readonly kind: "applied"; readonly nodeId: string; readonly atMs: number }
  /** A device's key came to a driver. */
  | { readonly kind: "has"; readonly publicKey: string; readonly atMs: number }
  | { readonly kind: "survey"; readonly holdings: readonly Holding[] };
