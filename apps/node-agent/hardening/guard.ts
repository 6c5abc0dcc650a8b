import type { WireGuardDriver } from "../drivers/driver.ts";
import { AgentError } from "../errors.ts";
import type { HostSetup } from "../host.ts";
import { runProgram } from "../run-program.ts";
import type { StateFile } from "../state-file.ts";
import type { Hardening } from "./harden.ts";

/** A host that carries traffic only while the machine meets what is demanded of it. */
export function guardHost(host: HostSetup, hardening: Hardening, interfaceName: string): HostSetup {
  return {
    async apply(spec) {
      await refuse(hardening, interfaceName);
      await host.apply(spec);
      // Some settings exist only once the rules are loaded.
      await refuse(hardening, interfaceName);
    },
    remove: () => host.remove(),
  };
}

async function refuse(hardening: Hardening, interfaceName: string): Promise<void> {
  await hardening.applyAll();
  const problem = hardening.problem();
  if (problem === null) return;
  await stopTraffic(interfaceName);
  throw new AgentError(problem);
}

/** A link that is down takes no packets; peers and keys stay as they are. */
export async function stopTraffic(interfaceName: string): Promise<void> {
  await runProgram("ip", ["link", "set", "dev", interfaceName, "down"]);
}

/** A driver whose readings fail while a demand is not met, so that the agent notices at its next tick and tells why. */
export function guardDriver(driver: WireGuardDriver, hardening: Hardening): WireGuardDriver {
  return {
    ...driver,
    async reports() {
      const problem = hardening.problem();
      if (problem !== null) throw new AgentError(problem);
      return driver.reports();
    },
  };
}

/** Holds the last state back while a demand is not met: the agent connects and tells why, without serving. */
export function guardStateFile(stateFile: StateFile, hardening: Hardening): StateFile {
  return {
    ...stateFile,
    read: async () => (hardening.problem() === null ? stateFile.read() : undefined),
  };
}
