import type { Ghost } from "@securewave/ghosts";
import {
  connectWireGuard,
  eventually,
  LAB_ADDRESSES,
  type NetworkLab,
  ping,
  randomSuffix,
  runOrThrow,
  setForwarding,
  type WireGuardClient,
} from "@securewave/testing";

/** What ghosts' addresses are drawn from. */
const GHOST_NETWORKS = { v4: "198.18.0.0/15", v6: "2001:db8::/32" };
/** Between the carrier and the control plane: RFC 6598 and RFC 4193. */
const CARRIER = { v4: "100.64.1.1", v6: "fd00:1::1" };
const CONTROL = { v4: "100.64.1.2", v6: "fd00:1::2" };
/** The carrier's end of every ghost's line. */
const LINE = { v4: "100.64.0.1", v6: "fd00::1" };

/** How a ghost reaches the service. */
export const SERVICE_HOST = CONTROL.v4;

/** A ghost's own computer, at the ghost's own addresses. */
export interface GhostComputer {
  readonly ghost: Ghost;
  readonly namespace: string;
  /** Brings its tunnel up; its endpoint becomes the node's IPv6 address where that is asked for. */
  connect(configuration: string, family?: 4 | 6): Promise<WireGuardClient>;
  /** Sends initiations whose answers never arrive. */
  halfConnect(configuration: string): Promise<void>;
}

/**
 * Makes the lab's customer a carrier, with node and control plane on one side and ghosts on the other: as with real
 * customers, what the node's network knows of its neighbours is routers.
 */
export async function openCarrier(lab: NetworkLab): Promise<void> {
  await lab.connect(lab.customer, lab.control, {
    v4: [`${CARRIER.v4}/30`, `${CONTROL.v4}/30`],
    v6: [`${CARRIER.v6}/64`, `${CONTROL.v6}/64`],
  });
  await setForwarding(lab.customer, true);
  const { customer } = LAB_ADDRESSES;
  await route(lab.node, GHOST_NETWORKS.v4, "via", customer.v4);
  await route(lab.node, GHOST_NETWORKS.v6, "via", customer.v6);
  await route(lab.control, GHOST_NETWORKS.v4, "via", CARRIER.v4);
  await route(lab.control, GHOST_NETWORKS.v6, "via", CARRIER.v6);
}

/** Makes a ghost's computer behind the carrier. */
export async function addComputer(lab: NetworkLab, ghost: Ghost): Promise<GhostComputer> {
  const role = `g${randomSuffix()}`.slice(0, 12).toLowerCase();
  const namespace = await lab.addNamespace(role);
  await lab.connect(namespace, lab.customer, {
    v4: [`${ghost.ipv4}/32`, `${LINE.v4}/32`],
    v6: [`${ghost.ipv6}/128`, `${LINE.v6}/128`],
  });
  await route(lab.customer, ghost.ipv4, "dev", `to-${role}`);
  await route(lab.customer, ghost.ipv6, "dev", `to-${role}`);
  await route(namespace, "default", "via", LINE.v4, "dev", "to-customer", "onlink");
  await route(namespace, "::/0", "via", LINE.v6, "dev", "to-customer", "onlink");
  return {
    ghost,
    namespace,
    connect(configuration, family = 4) {
      const { v4, v6 } = LAB_ADDRESSES.nodeForCustomer;
      return connectWireGuard(
        namespace,
        family === 4 ? configuration : configuration.replace(`${v4}:`, `[${v6}]:`),
      );
    },
    async halfConnect(configuration) {
      const rules =
        "add table inet lost\nadd chain inet lost in { type filter hook input priority raw; }\nadd rule inet lost in udp sport 51820 drop\n";
      await runOrThrow("nft", ["-f", "-"], { namespace, input: rules });
      const client = await connectWireGuard(namespace, configuration);
      await ping(namespace, LAB_ADDRESSES.internet.v4, { timeoutMs: 300 });
      await client.down();
      await runOrThrow("nft", ["delete", "table", "inet", "lost"], { namespace });
    },
  };
}

/** Waits until a tunnel carries; the node may not have the device yet. */
export async function carries(namespace: string): Promise<void> {
  await eventually(
    async () => {
      if (!(await ping(namespace, LAB_ADDRESSES.internet.v4, { timeoutMs: 1000 })))
        throw new Error("a tunnel carries nothing");
    },
    { timeoutMs: 30_000 },
  );
}

async function route(namespace: string, ...words: string[]): Promise<void> {
  const family = words.some((word) => word.includes(":")) ? "-6" : "-4";
  await runOrThrow("ip", [family, "-n", namespace, "route", "add", ...words]);
}
