import { canonicalAddress } from "../origins/index.ts";
import { createRangesBuilder } from "./ranges.ts";

/** @see https://www.iana.org/assignments/iana-ipv4-special-registry and its IPv6 counterpart */
const SPECIAL = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
  "::/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "3fff::/20",
  "5f00::/16",
  "fc00::/7",
  "fe80::/9", // link-local, and site-local of old
  "ff00::/8",
];

const builder = createRangesBuilder();
for (const network of SPECIAL) builder.add(network);
const special = builder.build();

/** Whether an address belongs to the internet at large: no machine of one's own, no neighbour, no cloud's metadata. */
export function isPublicAddress(text: string): boolean {
  const address = canonicalAddress(text);
  return address !== undefined && !special.has(address);
}
