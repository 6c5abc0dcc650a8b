import { existsSync } from "node:fs";
import { hasTool } from "../packages/testing/requirements.ts";

export interface Prerequisite {
  /** The name of the Debian package. */
  name: string;
  /** What the tests do with it. */
  reason: string;
  isThere(): boolean;
  /** What the package would have the machine run from then on, and the tests do not want. */
  services?: readonly string[];
}

/** All Debian packages that the tests use; the one place where they are listed. */
export const PREREQUISITES: readonly Prerequisite[] = [
  tools("chromium", "walks through the console like a customer", "chromium"),
  tools("wireguard-tools", "brings up customers' configurations (wg, wg-quick)", "wg", "wg-quick"),
  tools("wireguard-go", "is WireGuard where the kernel has none", "wireguard-go"),
  tools("nftables", "is the node's firewall and NAT", "nft"),
  tools("iproute2", "makes the network namespaces and shapes traffic", "ip", "tc"),
  tools("iputils-ping", "proves that packets pass a tunnel", "ping"),
  tools("iperf3", "measures what a tunnel carries", "iperf3"),
  tools("curl", "fetches web pages through a tunnel", "curl"),
  tools("procps", "gives wg-quick the program sysctl", "sysctl"),
  tools("age", "opens what we seal, and seals what we open", "age", "age-keygen"),
  tools("zstd", "is what the benchmark compresses raw backups with", "zstd"),
  tools("zbar-tools", "reads QR codes independently of what drew them", "zbarimg"),
  tools("prometheus", "reads metrics, judges alerts and tests their rules", "prometheus", "promtool"),
  tools("prometheus-alertmanager", "leads alerts to people", "prometheus-alertmanager", "amtool"),
  {
    ...tools("redis-server", "is what replicas share their counts and blocks in", "redis-server"),
    services: ["redis-server"],
  },
  { ...tools("redis-sentinel", "decides which Redis leads", "redis-sentinel"), services: ["redis-sentinel"] },
  { ...tools("patroni", "decides which PostgreSQL leads", "patroni"), services: ["patroni"] },
  { ...tools("etcd-server", "remembers who leads the database", "etcd"), services: ["etcd"] },
  { ...tools("haproxy", "leads callers to who leads", "haproxy"), services: ["haproxy"] },
  {
    name: "postgresql",
    reason: "is led by Patroni",
    isThere: () => existsSync("/usr/lib/postgresql"),
    services: ["postgresql"],
  },
];

function tools(name: string, reason: string, ...programs: string[]): Prerequisite {
  return { name, reason, isThere: () => programs.every(hasTool) };
}

/** The packages that are not installed. */
export function missingPrerequisites(): Prerequisite[] {
  return PREREQUISITES.filter((prerequisite) => !prerequisite.isThere());
}

/** Whether Debian's package tool can install them: this is Debian or a descendant, and we are root. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version") && hasTool("apt-get");
}
