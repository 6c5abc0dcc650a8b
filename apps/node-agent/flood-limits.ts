/**
 * Limits of packets per second by source, that keep no source: a source falls into one of 64 buckets by a hash whose seed
 * the kernel draws when the rules are loaded and shows nobody. A flood takes away from those in its bucket only.
 */
const BUCKETS = 64;

interface Flood {
  readonly name: string;
  /** Packets per second and at once, of each bucket. */
  readonly rate: number;
  readonly burst: number;
}

/** Handshakes that customers begin. All of 10,000 customers together, each trying every 5 s, stay below it. */
const HANDSHAKES: Flood = { name: "handshakes", rate: 50, burst: 200 };
/** To the node itself. */
const SYN: Flood = { name: "syn", rate: 100, burst: 300 };
const UDP: Flood = { name: "udp", rate: 500, burst: 1000 };
const ICMP: Flood = { name: "icmp", rate: 20, burst: 100 };
/** Connections that customers open through the node: each takes a place in the kernel's table. */
const FLOWS: Flood = { name: "flows", rate: 300, burst: 3000 };

/** WireGuard §5.4.2: an initiation has 148 bytes, of which the first is 1; a UDP header has 8. */
const IS_INITIATION = "udp length 156 @th,64,8 1";
const IS_SYN = "tcp flags & (fin|syn|rst|ack) == syn";

/** What the rules below refer to, to be written into the table before its chains. */
export function renderLimits(): string {
  return [HANDSHAKES, SYN, UDP, ICMP, FLOWS].map(renderBuckets).join("");
}

function renderBuckets({ name, rate, burst }: Flood): string {
  return Array.from(
    { length: BUCKETS },
    (_, bucket) => `  limit ${name}_${bucket} { rate over ${rate}/second burst ${burst} packets; }\n`,
  ).join("");
}

function beyond({ name }: Flood, matches: string): string[] {
  const names = Array.from({ length: BUCKETS }, (_, bucket) => `${bucket} : "${name}_${bucket}"`).join(", ");
  return ["ip", "ip6"].map(
    (family) => `    ${matches} limit name jhash ${family} saddr mod ${BUCKETS} map { ${names} } drop\n`,
  );
}

/** For packets to WireGuard's port, before connection tracking. */
export function renderHandshakeLimit(listenPort: number): string {
  return beyond(HANDSHAKES, `iifname != "lo" udp dport ${listenPort} ${IS_INITIATION}`).join("");
}

/** For packets to the node itself, from anywhere but the tunnel, which has rules of its own. */
export function renderInputLimits(tunnel: string): string {
  const outside = `iifname != { "lo", ${tunnel} }`;
  const [echo = "", echo6 = ""] = [
    beyond(ICMP, `${outside} icmp type echo-request`)[0],
    beyond(ICMP, `${outside} icmpv6 type echo-request`)[1],
  ];
  return [
    ...beyond(SYN, `${outside} ct state new ${IS_SYN}`),
    ...beyond(UDP, `${outside} ct state new meta l4proto udp`),
    echo,
    echo6,
  ].join("");
}

/** For what customers send to the internet: connections that they open. */
export function renderForwardLimits(tunnel: string): string {
  return beyond(FLOWS, `iifname ${tunnel} ct state new`).join("");
}
