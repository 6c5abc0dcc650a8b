import { invariant } from "@securewave/foundation";
import { canonicalAllowedIp } from "@securewave/wireguard";

/** Letters, digits and `_`, so that it serves in the names of nftables too; at most IFNAMSIZ less its NUL. */
export const INTERFACE_NAME = /^[a-zA-Z][a-zA-Z0-9_]{0,14}$/;

export function tableName(interfaceName: string): string {
  invariant(INTERFACE_NAME.test(interfaceName), "an interface name serves in firewall rules");
  return `securewave_${interfaceName}`;
}

/**
 * The rules for one interface as a transaction of nft, which replaces the table as a whole. No rule logs.
 *
 * @param addresses the node's own with prefix lengths
 */
export function renderRules(interfaceName: string, addresses: readonly string[]): string {
  const table = `inet ${tableName(interfaceName)}`;
  const tunnel = `"${interfaceName}"`;
  const masquerades = addresses.map((address) => {
    const pool = canonicalAllowedIp(address);
    invariant(pool !== undefined, "an interface address names its pool");
    return `    ${address.includes(":") ? "ip6" : "ip"} saddr ${pool} oifname != ${tunnel} masquerade`;
  });
  return `add table ${table}
delete table ${table}
table ${table} {
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname ${tunnel} oifname ${tunnel} drop comment "customers do not reach each other"
    iifname ${tunnel} tcp flags syn tcp option maxseg size set rt mtu
    oifname ${tunnel} tcp flags syn tcp option maxseg size set rt mtu
    iifname ${tunnel} accept
    oifname ${tunnel} ct state established,related accept
    oifname ${tunnel} drop comment "nobody reaches customers unasked"
  }
  chain input {
    type filter hook input priority filter; policy accept;
    iifname ${tunnel} ct state established,related accept
    iifname ${tunnel} icmp type echo-request accept
    iifname ${tunnel} icmpv6 type echo-request accept
    iifname ${tunnel} drop comment "the node offers nothing but ping"
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
${masquerades.join("\n")}
  }
}
`;
}
