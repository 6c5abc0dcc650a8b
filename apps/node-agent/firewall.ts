import { invariant } from "@securewave/foundation";
import { canonicalAllowedIp } from "@securewave/wireguard";
import {
  renderForwardLimits,
  renderHandshakeLimit,
  renderInputLimits,
  renderLimits,
} from "./flood-limits.ts";

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
 * @param listenPort WireGuard's; its packets are kept from connection tracking, which would note customers' addresses
 */
export function renderRules(
  interfaceName: string,
  addresses: readonly string[],
  listenPort: number | undefined,
): string {
  const table = `inet ${tableName(interfaceName)}`;
  const tunnel = `"${interfaceName}"`;
  const masquerades = addresses.flatMap((address) => {
    const pool = canonicalAllowedIp(address);
    invariant(pool !== undefined, "an interface address names its pool");
    const leaving = `    ${address.includes(":") ? "ip6" : "ip"} saddr ${pool} oifname != ${tunnel}`;
    const all = `${leaving} masquerade`;
    return listenPort === undefined ? [all] : [`${leaving} ${otherPort(listenPort)}`, all];
  });
  return `add table ${table}
delete table ${table}
table ${table} {
${renderLimits()}${listenPort === undefined ? "" : renderUntracked(tunnel, listenPort)}  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname ${tunnel} oifname ${tunnel} drop comment "customers do not reach each other"
    iifname ${tunnel} tcp flags syn tcp option maxseg size set rt mtu
    oifname ${tunnel} tcp flags syn tcp option maxseg size set rt mtu
${renderForwardLimits(tunnel)}    iifname ${tunnel} accept
    oifname ${tunnel} ct state established,related accept
    oifname ${tunnel} drop comment "nobody reaches customers unasked"
  }
  chain input {
    type filter hook input priority filter; policy accept;
${renderInputLimits(tunnel)}    iifname ${tunnel} ct state established,related accept
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

/** Packets within the tunnel that happen to have the same port are a customer's own, and need their address translated. */
function renderUntracked(tunnel: string, listenPort: number): string {
  return `  chain raw_prerouting {
    type filter hook prerouting priority raw; policy accept;
${renderHandshakeLimit(listenPort)}    iifname != ${tunnel} udp dport ${listenPort} notrack
  }
  chain raw_output {
    type filter hook output priority raw; policy accept;
    udp sport ${listenPort} notrack
  }
`;
}

/** A customer's packets must not leave from WireGuard's own port: the answers would not be translated back. */
function otherPort(listenPort: number): string {
  return `udp sport ${listenPort} masquerade to :${listenPort < 32768 ? "32768-65535" : "1024-32767"}`;
}
