import { formatAddress, parseAddress } from "@securewave/wireguard";

/** The names under which a service is reached. */
export interface Hosts {
  /** @param host a `Host` header or `:authority`, with or without a port */
  isTrusted(host: string | undefined): boolean;
  /**
   * Whether a page of this origin is one of the service's own, as a WebSocket's upgrade must ask.
   *
   * @param origin an `Origin` header
   * @param host the `Host` header beside it; where every name is trusted, an origin is only trusted with its own
   */
  isTrustedOrigin(origin: string, host?: string): boolean;
}

/** A host name or an IPv4 address, or an IPv6 address in brackets; a port behind it. */
const HOST = /^([a-z0-9_][a-z0-9._-]{0,252}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/**
 * @param names `vpn.example.org`, `*.example.org` for every name below it (not itself), `*` for all; ports are ignored
 * @throws TypeError for what is no host name and no address
 */
export function createHosts(names: readonly string[]): Hosts {
  const exact = new Set<string>();
  const suffixes: string[] = [];
  const isAny = names.includes("*");
  for (const name of names) {
    if (name === "*") continue;
    const isWild = name.startsWith("*.");
    const host = isWild ? nameOf(name.slice(2)) : nameOf(bracketed(name));
    if (host === undefined) throw new TypeError("a trusted host is a host name or an address");
    if (isWild) suffixes.push(`.${host}`);
    else exact.add(host);
  }
  /** Nearly all requests come by one name. */
  let lastTrusted: string | undefined;

  function isTrusted(host: string | undefined): boolean {
    if (host === undefined) return isAny;
    if (host === lastTrusted) return true;
    const name = nameOf(host);
    if (name === undefined) return false;
    const isListed = isAny || exact.has(name) || suffixes.some((suffix) => name.endsWith(suffix));
    if (isListed) lastTrusted = host;
    return isListed;
  }
  return {
    isTrusted,
    isTrustedOrigin(origin, host) {
      const url = URL.canParse(origin) ? new URL(origin) : undefined;
      const isOrigin = url && /^https?:$/.test(url.protocol) && url.origin === origin;
      if (!isOrigin || !isTrusted(url.host)) return false;
      return !isAny || (host !== undefined && nameOf(host) === nameOf(url.host));
    },
  };
}

/** Without its port and the dot of the root. */
function nameOf(host: string): string | undefined {
  return HOST.exec(host)?.[1]?.toLowerCase().replace(/\.$/, "");
}

/** An IPv6 address as a `Host` header has it. */
function bracketed(name: string): string {
  const address = parseAddress(name.replace(/^\[(.*)\]$/, "$1"));
  return address?.family === 6 ? `[${formatAddress(address)}]` : name;
}
