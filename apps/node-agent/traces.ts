import { fileURLToPath } from "node:url";
import type { Peer, PublicKey } from "@securewave/wireguard";
import { canonicalAllowedIp, canonicalInterfaceAddress } from "@securewave/wireguard";
import { AgentError } from "./errors.ts";
import { mustRun, readBytes, runProgram } from "./run-program.ts";

export type TracedPeer = Pick<Peer, "publicKey" | "allowedIps">;

/** All that belongs in a tunnel's networks. */
export interface Tunnel {
  /** The node's own in each network, with the network's prefix length: `10.8.0.1/16`. */
  readonly addresses: readonly string[];
  readonly peers: readonly TracedPeer[];
}

/** What the kernel remembers of customers outside WireGuard. */
export interface Traces {
  /**
   * Removes flows from and to peers' tunnel addresses, and what is kept about addresses in general: metrics of TCP,
   * neighbours, exceptions of routes.
   *
   * @throws when something may still be there
   */
  forget(peers: readonly TracedPeer[]): Promise<void>;
  /**
   * Removes flows from and to addresses of the tunnel's networks that belong to nobody in it: of devices that were taken
   * away while no agent ran.
   *
   * @throws when something may still be there
   */
  forgetStrangers(tunnel: Tunnel): Promise<void>;
}

export interface TracesOptions {
  readonly interfaceName: string;
  /** Takes away what else there is by peers, such as the counters of a traffic shaper's classes. */
  readonly forgetMore?: (publicKeys: readonly PublicKey[]) => Promise<void>;
  /** General caches are emptied at most so often: live customers need theirs. */
  readonly cachesEveryMs?: number;
  readonly steadyMs?: () => number;
}

const CACHES_EVERY_MS = 30_000;
const FLOWS_SCRIPT = fileURLToPath(new URL("forget-flows.pl", import.meta.url));

export const noTraces: Traces = { forget: async () => undefined, forgetStrangers: async () => undefined };

export function createTraces(options: TracesOptions): Traces {
  const { interfaceName, forgetMore, cachesEveryMs = CACHES_EVERY_MS } = options;
  const steadyMs = options.steadyMs ?? (() => performance.now());
  let cachesEmptiedMs = Number.NEGATIVE_INFINITY;
  return {
    async forget(peers) {
      await forgetFlows(peers.flatMap(({ allowedIps }) => allowedIps));
      await forgetMore?.(peers.map(({ publicKey }) => publicKey));
      if (steadyMs() - cachesEmptiedMs < cachesEveryMs) return;
      await emptyCaches(interfaceName);
      cachesEmptiedMs = steadyMs();
    },
    forgetStrangers: forgetStrangersFlows,
  };
}

/**
 * Removes connection tracking's flows from and to addresses.
 *
 * Perl, which is on every Debian and Ubuntu (perl-base is essential), opens the netlink socket that Node cannot: the
 * table is walked once for any number of addresses, and where customers' flows lead never enters this process. The
 * program `conntrack` walks the table once for each address and prints each flow that it removes; it stands in where
 * there is no Perl, with its output thrown away.
 *
 * @param prefixes of one address each, as in a peer's allowed IPs
 */
export async function forgetFlows(prefixes: readonly string[]): Promise<void> {
  const addresses = prefixes.map(addressOf);
  if ((await flowsProgram()) === "perl") {
    const input = addresses.map((address) => `${hexOf(address)}\n`).join("");
    await mustRun("removing flows", "perl", [FLOWS_SCRIPT], { input });
    return;
  }
  for (const address of addresses) {
    for (const direction of ["--orig-src", "--orig-dst"]) await forgetByConntrack(direction, address);
  }
}

async function forgetStrangersFlows({ addresses, peers }: Tunnel): Promise<void> {
  const own = addresses.map((text) => canonicalInterfaceAddress(text)?.split("/") ?? []);
  const kept = peers.flatMap(({ allowedIps }) => allowedIps).map(addressOf);
  if ((await flowsProgram()) === "perl") {
    const networks = own.map(([address = "", length]) => `in ${hexOf(address)} ${length}`);
    const keeping = [...own.map(([address = ""]) => address), ...kept].map(
      (address) => `keep ${hexOf(address)}`,
    );
    await mustRun("removing flows", "perl", [FLOWS_SCRIPT], { input: lines([...networks, ...keeping]) });
    return;
  }
  const known = new Set(kept);
  for (const [address = "", length] of own) {
    known.add(address);
    for (const direction of ["--orig-src", "--orig-dst"] as const) {
      for (const found of await addressesInFlows(direction, `${address}/${length}`)) {
        if (!known.has(found)) await forgetByConntrack(direction, found);
      }
    }
  }
}

/** Tunnel addresses that have flows. Where these lead does not become text. */
function addressesInFlows(direction: "--orig-src" | "--orig-dst", network: string): Promise<Set<string>> {
  const mark = `${direction.slice(-3)}=`;
  const args = ["--dump", "--family", network.includes(":") ? "ipv6" : "ipv4", direction, network];
  return readBytes("listing flows", "conntrack", args, (printed) => {
    const found = new Set<string>();
    for (
      let line = 0, end = printed.indexOf("\n");
      end >= 0;
      line = end + 1, end = printed.indexOf("\n", line)
    ) {
      // The first of its name in a line is the flow's own, the second that of the answers.
      const start = printed.indexOf(mark, line) + mark.length;
      if (start > line + mark.length && start < end)
        found.add(addressOf(printed.toString("latin1", start, printed.indexOf(" ", start))));
    }
    return found;
  });
}

let chosen: "perl" | "conntrack" | undefined;

/** @throws AgentError that says what to install */
export async function flowsProgram(): Promise<"perl" | "conntrack"> {
  chosen ??= (await isThere("perl", "-v")) ? "perl" : undefined;
  chosen ??= (await isThere("conntrack", "--version")) ? "conntrack" : undefined;
  if (chosen === undefined) {
    throw new AgentError(
      "Neither perl nor conntrack is there, one of which removes flows. Install one, on Debian: apt-get install conntrack",
    );
  }
  return chosen;
}

async function isThere(program: string, argument: string): Promise<boolean> {
  return runProgram(program, [argument]).then(
    ({ code }) => code === 0,
    () => false,
  );
}

async function forgetByConntrack(direction: string, address: string): Promise<void> {
  const family = address.includes(":") ? "ipv6" : "ipv4";
  const args = ["--delete", "--family", family, direction, address];
  const { code, stderr } = await runProgram("conntrack", args, { isSilent: true });
  // It ends with 1 as well where there was none.
  if (code !== 0 && !/\b0 flow entries/.test(stderr))
    throw new AgentError("conntrack failed at removing flows.");
}

/** @throws AgentError for a prefix of more than one address */
function addressOf(prefix: string): string {
  const [address = "", length] = (canonicalAllowedIp(prefix) ?? "").split("/");
  if (length !== (address.includes(":") ? "128" : "32")) {
    throw new AgentError("A peer has more than one address of a family, so that its flows cannot be told.");
  }
  return address;
}

/** An address as its 4 or 16 bytes in hexadecimal digits. */
export function hexOf(address: string): string {
  if (!address.includes(":")) return Buffer.from(address.split(".").map(Number)).toString("hex");
  const [left = "", right] = address.split("::");
  const groups = (text: string) =>
    text
      .split(":")
      .filter(Boolean)
      .map((group) => group.padStart(4, "0"));
  const [head, tail] = [groups(left), groups(right ?? "")];
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => "0000"), ...tail].join("");
}

/**
 * Metrics of TCP and exceptions of routes are kept by the other side's outer address, neighbours by addresses in the same
 * network.
 */
async function emptyCaches(interfaceName: string): Promise<void> {
  const every = ["route flush cache"];
  const once = ["tcp_metrics flush all", `neighbour flush dev ${interfaceName}`, "neighbour flush nud stale"];
  await mustRun("emptying caches", "ip", ["-4", "-batch", "-"], { input: lines([...every, ...once]) });
  await mustRun("emptying caches", "ip", ["-6", "-batch", "-"], {
    input: lines([...every, ...once.slice(1)]),
  });
}

function lines(texts: readonly string[]): string {
  return `${texts.join("\n")}\n`;
}
