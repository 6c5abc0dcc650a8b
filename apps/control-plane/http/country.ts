import { BlockList, isIPv6 } from "node:net";
import type { FastifyRequest } from "fastify";

/** The country that a request comes from, at this moment; to be kept nowhere. */
export type CountryOf = (request: Pick<FastifyRequest, "headers" | "socket">) => string | undefined;

/**
 * Believes a header, as those proxies set it that know countries by addresses; nobody else's.
 *
 * @param header its name; without it there is no country
 * @param trustedProxies networks in CIDR form
 */
export function createCountryOf(header: string | undefined, trustedProxies: readonly string[]): CountryOf {
  const name = header?.toLowerCase();
  const proxies = new BlockList();
  for (const network of trustedProxies) {
    const [address = "", length] = network.split("/");
    proxies.addSubnet(address, Number(length), familyOf(address));
  }
  return ({ headers, socket: { remoteAddress } }) => {
    const country = name === undefined ? undefined : headers[name];
    if (typeof country !== "string" || !/^[A-Z]{2}$/.test(country) || remoteAddress === undefined) return;
    return proxies.check(remoteAddress, familyOf(remoteAddress)) ? country : undefined;
  };
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv6(address) ? "ipv6" : "ipv4";
}
