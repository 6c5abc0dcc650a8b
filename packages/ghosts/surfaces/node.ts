import type { Kind } from "../identity.ts";
import { type Collecting, type Source, type Surface, textSource } from "../surface.ts";
import { outputOf } from "./programs.ts";

export interface NodeAccess {
  /** Words that run a program on the node: `["ip", "netns", "exec", name]`; none on the node itself. */
  readonly before?: readonly string[];
  /** An interface of it that can have neighbours, for the control. */
  readonly interfaceName: string;
}

/** Every command that shows what a kernel knows of others, by the rows of the leak table that it is for. */
const COMMANDS: readonly (readonly [program: string, ...args: string[]])[] = [
  ["wg", "show", "all", "dump"],
  ["cat", "/proc/net/nf_conntrack"],
  ["conntrack", "-L"],
  ["conntrack", "-L", "-f", "ipv6"],
  ["ip", "neigh", "show", "nud", "all"],
  ["ip", "-s", "tcp_metrics", "show"],
  ["ip", "route", "show", "table", "all"],
  ["ip", "-6", "route", "show", "table", "all"],
  ["ip", "route", "show", "cache"],
  ["ss", "-tunap"],
  ...["ip", "ip6", "inet", "arp", "bridge", "netdev"].map(
    (family) => ["nft", "-a", "list", "ruleset", family] as const,
  ),
  ["tc", "-s", "qdisc", "show"],
];
/** These show an interface each. */
const TC_OBJECTS = ["class", "filter"];

/** Who may be found where a peer is set up, though nobody connected. */
const PERMITS: Readonly<Partial<Record<Kind, string>>> = {
  public_key: "WireGuard must know which keys it lets in",
  tunnel_ipv4:
    "WireGuard and shaping must know which address a key has; flows to and from it count as traces",
  tunnel_ipv6:
    "WireGuard and shaping must know which address a key has; flows to and from it count as traces",
};

/** What a node's kernel knows: rows 1, 3 to 6 and 9. The control is a neighbour. */
export function nodeSurface({ before = [], interfaceName }: NodeAccess): Surface {
  let planted: string | undefined;
  const ip = (...args: string[]) => outputOf({ program: "ip", args, before });
  return {
    id: "node-kernel",
    title: "Node: WireGuard, connection tracking, neighbours, metrics, rules, shaping",
    rows: [1, 3, 4, 5, 6, 9],
    permits: PERMITS,
    permitsIn: ["wg show", "tc ", "nft -a list ruleset netdev"],
    async plant(control) {
      planted = control.ipv4;
      await ip(
        "neigh",
        "replace",
        planted,
        "lladdr",
        "02:00:00:00:00:01",
        "nud",
        "permanent",
        "dev",
        interfaceName,
      );
      return [{ kind: "ipv4", encoding: "text" }];
    },
    async clear() {
      if (planted !== undefined) await ip("neigh", "del", planted, "dev", interfaceName);
    },
    async *collect(collecting) {
      for (const [program, ...args] of COMMANDS) yield* shown(collecting, before, program, args);
      const links = (await ip("-o", "link", "show"))?.toString() ?? "";
      for (const [, name = ""] of links.matchAll(/^\d+: ([^:@]+)[:@]/gm)) {
        for (const object of TC_OBJECTS) {
          yield* shown(collecting, before, "tc", ["-s", object, "show", "dev", name]);
        }
      }
    },
  };
}

/** Rows 2 and 7: what the node's system has logged. It is the whole machine's, also of a node in a namespace. */
export function systemLogSurface(): Surface {
  let control = "";
  return {
    id: "node-system-log",
    title: "Node: kernel messages and journal",
    rows: [2, 7],
    // Neither log can be written to everywhere: the control proves only that what is collected is searched.
    plant: async ({ ipv4 }) => {
      control = ipv4;
      return [{ kind: "ipv4", encoding: "text" }];
    },
    async *collect(collecting) {
      yield* shown(collecting, [], "dmesg", []);
      yield* shown(collecting, [], "journalctl", ["--no-pager", "--quiet", "--output=export"]);
      yield textSource("control", control);
    },
  };
}

async function* shown(
  collecting: Collecting,
  before: readonly string[],
  program: string,
  args: readonly string[],
): AsyncGenerator<Source> {
  const name = [program, ...args].join(" ");
  const output = await outputOf({ program, args, before }).catch(() => undefined);
  if (output === undefined) collecting.skip(name, "there is no such program or file, or it fails");
  else yield textSource(name, output);
}
