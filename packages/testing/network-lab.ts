import { createNetwork, type Network } from "./network.ts";
import { type Requirements, requirements } from "./requirements.ts";

/** The addresses of a scene; the same in each, since each lives in namespaces of its own. All are for documentation: RFC 5737, RFC 3849. */
export const LAB_ADDRESSES = {
  /** Control plane and node see each other here. */
  control: { v4: "192.0.2.1", v6: "2001:db8:0:2::1" },
  nodeForControl: { v4: "192.0.2.2", v6: "2001:db8:0:2::2" },
  /** The node's public side: what a customer's endpoint names. */
  nodeForCustomer: { v4: "198.51.100.1", v6: "2001:db8:0:51::1" },
  customer: { v4: "198.51.100.10", v6: "2001:db8:0:51::10" },
  /** The node's way out: what a web server sees of a customer behind NAT. */
  nodeForInternet: { v4: "203.0.113.1", v6: "2001:db8:0:113::1" },
  internet: { v4: "203.0.113.80", v6: "2001:db8:0:113::80" },
} as const;

/** The interfaces in the node's namespace. */
export const NODE_INTERFACES = {
  toControl: "to-control",
  toCustomer: "to-customer",
  toInternet: "to-internet",
} as const;

export interface NetworkLab extends Network {
  /** Namespace of the control plane. */
  readonly control: string;
  /** Namespace of the VPN server, joined to all three others. Routing is off in it: that is the agent's to do. */
  readonly node: string;
  /** Namespace of a customer's computer; its default route is the node, which does not pass on without a tunnel. */
  readonly customer: string;
  /** Namespace of a web server that knows the node and nobody behind it. */
  readonly internet: string;
}

/** What a suite with a network lab and tunnels needs. */
export function labRequirements(tools: readonly string[] = []): Requirements {
  return requirements({
    root: true,
    tools: ["ip", "sysctl", "wg", "wg-quick", "wireguard-go", "nft", "curl", "ping", ...tools],
    devices: ["/dev/net/tun"],
    networkNamespaces: true,
  });
}

/**
 * Builds the scene: control plane, VPN server, customer and internet, each in a namespace of its own.
 *
 * Costs about 0.3 s. More customers: `addNamespace` and `connect`.
 */
export async function createNetworkLab(): Promise<NetworkLab> {
  const network = createNetwork();
  try {
    const control = await network.addNamespace("control");
    const node = await network.addNamespace("node");
    const customer = await network.addNamespace("customer");
    const internet = await network.addNamespace("internet");
    const {
      control: c,
      nodeForControl,
      nodeForCustomer,
      customer: cu,
      nodeForInternet,
      internet: i,
    } = LAB_ADDRESSES;
    await network.connect(control, node, link(c, nodeForControl));
    await network.connect(customer, node, link(cu, nodeForCustomer));
    await network.connect(internet, node, link(i, nodeForInternet));
    await network.routeThrough(customer, nodeForCustomer.v4);
    await network.routeThrough(customer, nodeForCustomer.v6);
    return { ...network, control, node, customer, internet };
  } catch (error) {
    await network.destroy();
    throw error;
  }
}

type Pair = { readonly v4: string; readonly v6: string };

function link(a: Pair, b: Pair): { v4: [string, string]; v6: [string, string] } {
  return { v4: [`${a.v4}/24`, `${b.v4}/24`], v6: [`${a.v6}/64`, `${b.v6}/64`] };
}
