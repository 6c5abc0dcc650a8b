import { eventually, run, runOrThrow } from "@securewave/testing";
import { CONTROL_ADDRESS, dropPackets, type Machine } from "./fleet-network.ts";
import type { NodeMachine } from "./node-agent.ts";

/** A VPN server of the fleet. */
export interface FleetNode extends NodeMachine {
  readonly address: string;
  /** Keys of the devices that it serves at this moment. */
  peers(): Promise<string[]>;
  holds(publicKey: string): Promise<void>;
  lacks(publicKey: string): Promise<void>;
  /** Cuts it off from the service; customers reach it. Returns how to mend that. */
  cutOff(): Promise<() => Promise<void>>;
  /** Closes the port that customers reach it by. Returns how to open it. */
  closeTunnels(): Promise<() => Promise<void>>;
  /** Limits that the kernel has, in kbit/s, each once. */
  speeds(): Promise<number[]>;
}

export function fleetNode(machine: NodeMachine, { address }: Machine): FleetNode {
  const { namespace, interfaceName } = machine;
  const peers = async () => {
    const { stdout } = await run("wg", ["show", interfaceName, "peers"], { namespace });
    return stdout.split("\n").filter(Boolean);
  };
  const isThere = (publicKey: string, wanted: boolean) =>
    eventually(
      async () => {
        if ((await peers()).includes(publicKey) !== wanted)
          throw new Error(`the node ${wanted ? "lacks" : "holds"} the device`);
      },
      { everyMs: 10 },
    );
  return {
    ...machine,
    address,
    peers,
    holds: (publicKey) => isThere(publicKey, true),
    lacks: (publicKey) => isThere(publicKey, false),
    cutOff: () =>
      dropPackets(namespace, {
        incoming: `ip saddr ${CONTROL_ADDRESS}`,
        outgoing: `ip daddr ${CONTROL_ADDRESS}`,
      }),
    async closeTunnels() {
      const { stdout } = await runOrThrow("wg", ["show", interfaceName, "listen-port"], { namespace });
      const port = stdout.trim();
      return dropPackets(namespace, { incoming: `udp dport ${port}`, outgoing: `udp sport ${port}` });
    },
    async speeds() {
      const { stdout: links } = await runOrThrow("ip", ["-o", "link", "show", "type", "ifb"], { namespace });
      const names = [...links.matchAll(/^\d+: (\w+):/gm)].map(([, name = ""]) => name);
      const shown = await Promise.all(
        names.map((name) => runOrThrow("tc", ["class", "show", "dev", name], { namespace })),
      );
      return ratesIn(shown.map(({ stdout }) => stdout).join("\n"));
    },
  };
}

/** What `tc class show` says: `rate 10Mbit`. */
function ratesIn(shown: string): number[] {
  const units = { "": 0.001, K: 1, M: 1000, G: 1_000_000 };
  const rates = [...shown.matchAll(/ rate (\d+)([KMG]?)bit/g)].map(
    ([, digits, unit = ""]) => Number(digits) * units[unit as keyof typeof units],
  );
  return [...new Set(rates)];
}
