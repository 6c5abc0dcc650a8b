import { canonicalAllowedIp, parsePool } from "@securewave/wireguard";

/**
 * What Fastify's `trustProxy` takes. With nothing listed, headers of proxies are ignored.
 *
 * @throws TypeError for what is neither an address nor a network in CIDR form, and for a network of all addresses
 */
export function trustedProxies(list: readonly string[]): string[] | false {
  for (const entry of list) {
    const network = canonicalAllowedIp(entry);
    if (network === undefined) throw new TypeError("a trusted proxy is an address or a network in CIDR form");
    if (parsePool(network)?.prefixLength === 0) throw new TypeError("not everybody is a trusted proxy");
  }
  return list.length > 0 ? [...list] : false;
}
