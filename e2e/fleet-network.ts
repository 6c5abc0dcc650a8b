import {
  createNetwork,
  type Network,
  type RunningProcess,
  runOrThrow,
  setForwarding,
  startProcess,
} from "@securewave/testing";

/** For documentation: RFC 5737. */
const NODES = { prefix: "198.51.100", network: "198.51.100.0/24" };
const CLIENTS = { prefix: "192.0.2" };
const CONTROL = { address: "203.0.113.65", gateway: "203.0.113.66" };
const INTERNET = { address: "203.0.113.1", gateway: "203.0.113.2" };

/** Where whatever customers ask for is. */
export const INTERNET_ADDRESS = INTERNET.address;
/** Where nodes find the service. */
export const CONTROL_ADDRESS = CONTROL.address;

export interface Machine {
  readonly namespace: string;
  readonly address: string;
}

/**
 * Nodes, customers, the service and a web server, each in a namespace with one line to a router in their midst. The web
 * server knows a way to nodes alone, so that an answer proves a tunnel.
 */
export interface FleetNetwork {
  readonly control: string;
  readonly internet: string;
  addNode(): Promise<Machine>;
  /** With no way to anything but nodes. */
  addCustomer(): Promise<Machine>;
  destroy: Network["destroy"];
}

export async function createFleetNetwork(): Promise<FleetNetwork> {
  const network = createNetwork();
  const router = await network.addNamespace("router");
  await setForwarding(router, true);
  const counts = { node: 0, customer: 0 };

  async function addRouted(role: string, { address, gateway }: typeof CONTROL): Promise<string> {
    const namespace = await network.addNamespace(role);
    await network.connect(namespace, router, { v4: [`${address}/30`, `${gateway}/30`] });
    return namespace;
  }

  async function addMachine(kind: keyof typeof counts, prefix: string) {
    const first = 4 * counts[kind]++;
    const [address, gateway] = [`${prefix}.${first + 1}`, `${prefix}.${first + 2}`];
    const namespace = await addRouted(`${kind}${counts[kind]}`, { address, gateway });
    return { namespace, address, gateway };
  }

  const toNodes = (namespace: string, gateway: string) =>
    runOrThrow("ip", ["-n", namespace, "route", "add", NODES.network, "via", gateway]);

  try {
    const control = await addRouted("control", CONTROL);
    await network.routeThrough(control, CONTROL.gateway);
    const internet = await addRouted("internet", INTERNET);
    await toNodes(internet, INTERNET.gateway);
    return {
      control,
      internet,
      async addNode() {
        const { gateway, ...machine } = await addMachine("node", NODES.prefix);
        await network.routeThrough(machine.namespace, gateway);
        return machine;
      },
      async addCustomer() {
        const { gateway, ...machine } = await addMachine("customer", CLIENTS.prefix);
        await toNodes(machine.namespace, gateway);
        return machine;
      },
      destroy: network.destroy,
    };
  } catch (error) {
    await network.destroy();
    throw error;
  }
}

/** Leads each connection to the first port of its way that answers. Arguments: address, then `port=port,port` for each way. */
const ENTRANCE = `
const { connect, createServer } = require("node:net");
const [address, ...ways] = process.argv.slice(1);
function lead(outer, [port, ...others]) {
  const inner = connect(Number(port), "127.0.0.1");
  const refused = () => others.length > 0 && !outer.destroyed ? lead(outer, others) : outer.destroy();
  inner.once("error", refused).once("connect", () => {
    inner.off("error", refused);
    for (const [from, to] of [[outer, inner], [inner, outer]]) {
      from.on("error", () => to.destroy()).on("close", () => to.destroy()).pipe(to);
    }
  });
}
let waiting = ways.length;
for (const way of ways) {
  const [port, targets] = way.split("=");
  createServer((outer) => lead(outer.on("error", () => {}), targets.split(",")))
    .listen(Number(port), address, () => { if (--waiting === 0) console.log("listening"); });
}`;

/**
 * What stands before replicas: each port of it leads to the replicas of a list, the first that is there.
 *
 * @param ways by the port that is listened to
 */
export function openEntrance(
  namespace: string,
  ways: Readonly<Record<number, readonly number[]>>,
): Promise<RunningProcess> {
  const words = Object.entries(ways).map(([port, targets]) => `${port}=${targets.join(",")}`);
  return startProcess({
    command: process.execPath,
    args: ["-e", ENTRANCE, CONTROL.address, ...words],
    namespace,
    readyWhen: /^listening$/,
  });
}

/** Lets nothing pass that matches, both ways, until it is called. */
export async function dropPackets(
  namespace: string,
  { incoming, outgoing }: { readonly incoming: string; readonly outgoing: string },
): Promise<() => Promise<void>> {
  const rules = `table inet dropped {
  chain input { type filter hook input priority -300; ${incoming} drop; }
  chain output { type filter hook output priority -300; ${outgoing} drop; }
}`;
  await runOrThrow("nft", [rules], { namespace });
  return async () => void (await runOrThrow("nft", ["delete table inet dropped"], { namespace }));
}
