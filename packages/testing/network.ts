import { createNamespace, removeNamespace } from "./namespaces.ts";
import { randomSuffix } from "./random-suffix.ts";
import { leaveToReaper } from "./reaper.ts";
import { runOrThrow } from "./run.ts";

/** The two ends' addresses with prefix lengths, in the order of the two namespaces: `["10.0.0.1/24", "10.0.0.2/24"]`. */
export interface Link {
  v4?: readonly [a: string, b: string];
  v6?: readonly [a: string, b: string];
}

export interface Network {
  /**
   * Adds a network namespace.
   *
   * @param role at most 12 letters, once per network; other namespaces' interfaces are called `to-<role>`
   * @returns the namespace's name, unique on the machine
   */
  addNamespace(role: string): Promise<string>;
  /** Joins two namespaces by a veth pair; in `a` the interface is called `to-<role of b>`, and the other way round. */
  connect(a: string, b: string, link: Link): Promise<void>;
  /** Adds a default route through a neighbour's address, IPv4 or IPv6. */
  routeThrough(namespace: string, gateway: string): Promise<void>;
  /** Ends all programs in the namespaces and removes them. */
  destroy(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes an empty network of namespaces. It never touches the machine's own interfaces: pairs are made inside the
 * namespaces, so that addresses of two networks may be the same.
 */
export function createNetwork(): Network {
  const suffix = randomSuffix();
  const roles = new Map<string, string>();
  const forgets: (() => void)[] = [];

  const roleOf = (namespace: string) => {
    const role = roles.get(namespace);
    if (role === undefined) throw new Error(`${namespace} is not a namespace of this network`);
    return role;
  };

  const addNamespace = async (role: string) => {
    if (!/^[a-z0-9-]{1,12}$/.test(role))
      throw new Error("a role has 1 to 12 lower-case letters, digits, dashes");
    const namespace = `sw-${suffix}-${role}`;
    if (roles.has(namespace)) throw new Error(`the network has a namespace for the role ${role}`);
    roles.set(namespace, role);
    forgets.push(leaveToReaper({ namespace }));
    await createNamespace(namespace);
    return namespace;
  };

  const connect = async (a: string, b: string, link: Link) => {
    const [nameInA, nameInB] = [`to-${roleOf(b)}`, `to-${roleOf(a)}`];
    const pair = ["link", "add", nameInA, "netns", a, "type", "veth", "peer", "name", nameInB, "netns", b];
    await runOrThrow("ip", pair);
    const ends = [
      { namespace: a, name: nameInA, v4: link.v4?.[0], v6: link.v6?.[0] },
      { namespace: b, name: nameInB, v4: link.v4?.[1], v6: link.v6?.[1] },
    ];
    for (const { namespace, name, v4, v6 } of ends) {
      if (v4 !== undefined) await runOrThrow("ip", ["-n", namespace, "addr", "add", v4, "dev", name]);
      // Without nodad the address is not usable until duplicate address detection ends, about a second later.
      if (v6 !== undefined)
        await runOrThrow("ip", ["-n", namespace, "addr", "add", v6, "dev", name, "nodad"]);
      await runOrThrow("ip", ["-n", namespace, "link", "set", name, "up"]);
    }
  };

  const routeThrough = async (namespace: string, gateway: string) => {
    const family = gateway.includes(":") ? "-6" : "-4";
    await runOrThrow("ip", [family, "-n", namespace, "route", "add", "default", "via", gateway]);
  };

  const destroy = async () => {
    for (const namespace of roles.keys()) await removeNamespace(namespace);
    roles.clear();
    for (const forget of forgets.splice(0)) forget();
  };

  return { addNamespace, connect, routeThrough, destroy, [Symbol.asyncDispose]: destroy };
}
