import { existsSync } from "node:fs";
import { hasTool } from "../packages/testing/requirements.ts";

export interface Prerequisite {
  /** The name of the Debian package. */
  name: string;
  /** What the tests do with it. */
  reason: string;
  isThere(): boolean;
}

/** All Debian packages that the tests use; the one place where they are listed. */
export const PREREQUISITES: readonly Prerequisite[] = [
  tools("chromium", "walks through the console like a customer", "chromium"),
  tools("wireguard-tools", "brings up customers' configurations (wg, wg-quick)", "wg", "wg-quick"),
  tools("wireguard-go", "is WireGuard where the kernel has none", "wireguard-go"),
  tools("nftables", "is the node's firewall and NAT", "nft"),
  tools("iproute2", "makes the network namespaces and shapes traffic", "ip", "tc"),
  tools("iputils-ping", "proves that packets pass a tunnel", "ping"),
  tools("curl", "fetches web pages through a tunnel", "curl"),
  tools("procps", "gives wg-quick the program sysctl", "sysctl"),
  tools("zbar-tools", "reads QR codes independently of what drew them", "zbarimg"),
  tools("redis-server", "is what replicas share their counts and blocks in", "redis-server"),
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
