import type { PresharedKey, PublicKey } from "./keys.ts";

/** A device's key on a node, as WireGuard is configured with it. */
export type Peer = {
  readonly publicKey: PublicKey;
  /** Canonical prefixes as `canonicalAllowedIp` gives them. */
  readonly allowedIps: readonly string[];
  readonly presharedKey?: PresharedKey;
};
