import type { Kind } from "@securewave/ghosts";

const KEPT =
  "a device's key and tunnel address are kept until it is removed, and in the write-ahead log for a while longer";

/** What stands in the store, and in what is made of it, by design. */
export const PERMITS: Readonly<Partial<Record<Kind, string>>> = {
  public_key: KEPT,
  tunnel_ipv4: KEPT,
  tunnel_ipv6: KEPT,
};
