import { access, readdir, readFile, writeFile } from "node:fs/promises";
import { canonicalInterfaceAddress } from "@securewave/wireguard";
import { AgentError } from "./errors.ts";
import { renderRules, tableName } from "./firewall.ts";
import type { OwnRules } from "./hardening/ruleset.ts";
import { fieldOf, linkKind } from "./links.ts";
import { mustRun, runProgram } from "./run-program.ts";

export interface HostSpec {
  /** The node's own in each pool, with the pool's prefix length: `10.8.0.1/16`. */
  readonly addresses: readonly string[];
  readonly mtu: number;
  /** WireGuard's port, whose packets are kept from connection tracking. */
  readonly listenPort?: number;
}

/** What a machine needs besides peers to carry customers' traffic. */
export interface HostSetup {
  /** Brings addresses, MTU, forwarding and firewall to the given ones; the interface must be there. */
  apply(spec: HostSpec): Promise<void>;
  /** Takes the firewall's table away. Forwarding stays on, as other programs may count on it. */
  remove(): Promise<void>;
}

/** A host whose rules can be looked after. */
export interface Host extends HostSetup, OwnRules {}

/** For interfaces that exist in memory only. */
export const noHost: HostSetup = { apply: async () => undefined, remove: async () => undefined };

export function createHost(interfaceName: string): Host {
  let rules: string | undefined;

  async function load(): Promise<void> {
    if (rules === undefined) return;
    await mustRun("loading the firewall rules", "nft", ["-f", "-"], { input: rules });
  }

  return {
    load,

    areLoaded: async () => (rules === undefined ? undefined : hasRules(interfaceName)),

    async apply(spec) {
      const addresses = await usableAddresses(spec.addresses);
      await holdAddresses(interfaceName, addresses);
      // Before the first packet.
      rules = renderRules(interfaceName, addresses, spec.listenPort);
      await load();
      const link = ["link", "set", "dev", interfaceName, "mtu", String(spec.mtu), "up"];
      await mustRun("starting the interface", "ip", link);
      await forward();
    },
    async remove() {
      const table = tableName(interfaceName);
      const { code } = await runProgram("nft", ["list", "table", "inet", table]);
      if (code === 0) {
        await mustRun("removing the firewall rules", "nft", ["delete", "table", "inet", table]);
      }
    },
  };
}

async function hasRules(interfaceName: string): Promise<boolean> {
  const chain = ["list", "chain", "inet", tableName(interfaceName), "raw_prerouting"];
  const { code, stdout } = await runProgram("nft", chain);
  return code === 0 && stdout.includes("notrack");
}

/** The rules of an interface that another process looks after. */
export function foreignRules(interfaceName: string): OwnRules {
  return {
    areLoaded: async () =>
      (await linkKind(interfaceName)) === undefined ? undefined : hasRules(interfaceName),
    load: async () => undefined,
  };
}

/** The interface's addresses without those of a family that is switched off on this machine. */
async function usableAddresses(texts: readonly string[]): Promise<string[]> {
  const isIpv6Off = (await readSetting("net/ipv6/conf/all/disable_ipv6")) !== "0";
  return texts.flatMap((text) => {
    const address = canonicalInterfaceAddress(text);
    if (address === undefined) throw new AgentError("The control plane named an address that is none.");
    return isIpv6Off && address.includes(":") ? [] : [address];
  });
}

async function holdAddresses(interfaceName: string, wanted: readonly string[]): Promise<void> {
  const present = await presentAddresses(interfaceName);
  for (const address of present) {
    if (wanted.includes(address)) continue;
    await mustRun("removing an address", "ip", ["address", "delete", address, "dev", interfaceName]);
  }
  for (const address of wanted) {
    if (present.includes(address)) continue;
    const family = address.includes(":") ? ["nodad"] : [];
    await mustRun("setting an address", "ip", ["address", "add", address, "dev", interfaceName, ...family]);
  }
}

/** Without link-local ones, which the kernel makes itself. */
async function presentAddresses(interfaceName: string): Promise<string[]> {
  const args = ["-json", "address", "show", "dev", interfaceName];
  const links: unknown = JSON.parse(await mustRun("reading the addresses", "ip", args));
  const entries = Array.isArray(links) ? fieldOf(links[0], "addr_info") : undefined;
  if (!Array.isArray(entries)) return [];
  return entries
    .filter((entry) => fieldOf(entry, "scope") !== "link")
    .map((entry) => canonicalInterfaceAddress(`${fieldOf(entry, "local")}/${fieldOf(entry, "prefixlen")}`))
    .filter((address) => address !== undefined);
}

const SYSCTL_ROOT = "/proc/sys";

async function forward(): Promise<void> {
  await setSetting("net/ipv4/ip_forward", "1");
  const ipv6 = await readSetting("net/ipv6/conf/all/forwarding");
  if (ipv6 === undefined || ipv6 === "1") return;
  // A machine that forwards ignores router advertisements unless told otherwise, and so would lose its own IPv6 route.
  for (const link of await readdir(`${SYSCTL_ROOT}/net/ipv6/conf`)) {
    const path = `net/ipv6/conf/${link}/accept_ra`;
    if ((await readSetting(path)) === "1") await setSetting(path, "2");
  }
  await setSetting("net/ipv6/conf/all/forwarding", "1");
}

async function readSetting(path: string): Promise<string | undefined> {
  return readFile(`${SYSCTL_ROOT}/${path}`, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}

async function setSetting(path: string, value: string): Promise<void> {
  if ((await readSetting(path)) === value) return;
  await writeFile(`${SYSCTL_ROOT}/${path}`, value).catch(() => {
    const name = path.replaceAll("/", ".");
    throw new AgentError(
      `The kernel setting ${name} cannot be changed. Set it on the host: sysctl -w ${name}=${value}`,
    );
  });
}

/**
 * Looks for what is missing before anything is touched.
 *
 * @throws AgentError that says what to install or do
 */
export async function checkHost(programs: readonly string[]): Promise<void> {
  if (process.platform !== "linux") throw new AgentError("A VPN server runs on Linux.");
  if (process.getuid?.() !== 0) throw new AgentError("This needs the rights of root. Run it with sudo.");
  for (const program of programs) {
    await runProgram(program, program === "ip" ? ["-Version"] : ["--version"]);
  }
  await access(SYSCTL_ROOT).catch(() => {
    throw new AgentError(`${SYSCTL_ROOT} is missing. Mount it: mount -t proc proc /proc`);
  });
}
