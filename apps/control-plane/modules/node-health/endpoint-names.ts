import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

/** @returns undefined when the name has no address, or it was never learnt */
export type AddressOf = (host: string) => Promise<string | undefined>;

/** getaddrinfo's: there is no such name, or it has no address. Other errors are the resolver's. */
const NO_ADDRESS = new Set(["ENOTFOUND", "ENODATA"]);

/**
 * Addresses of nodes' endpoints. One name is looked up at a time, and behind the address that is known of it: lookups
 * take up threads that log-ins need as well, each for seconds while the resolver does not answer.
 */
export function createEndpointNames(
  find: (host: string) => Promise<{ address: string }> = lookup,
): AddressOf {
  const known = new Map<string, string>();
  const awaited = new Map<string, Promise<void>>();
  let last = Promise.resolve();

  async function refresh(host: string): Promise<void> {
    try {
      known.set(host, (await find(host)).address);
    } catch (error) {
      if (NO_ADDRESS.has(codeOf(error))) known.delete(host);
    }
    awaited.delete(host);
  }

  function refreshInTurn(host: string): Promise<void> {
    const underWay = awaited.get(host);
    if (underWay) return underWay;
    last = last.then(() => refresh(host));
    awaited.set(host, last);
    return last;
  }

  return async (host) => {
    if (isIP(host) !== 0) return host;
    const refreshed = refreshInTurn(host);
    if (!known.has(host)) await refreshed;
    return known.get(host);
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
