import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "../log.ts";
import type { Demand } from "./demand.ts";
import { diskDemands } from "./disk.ts";
import { flowsDemand } from "./flows.ts";
import { createHardening, type Hardening } from "./harden.ts";
import { logDemands } from "./logs.ts";
import { nameServerDemand } from "./name-server.ts";
import { type OwnRules, rulesetDemands } from "./ruleset.ts";
import { type Memory, sysctlDemands } from "./sysctl.ts";
import { kernelDebugDemand, wireguardGoDemand } from "./wireguard-log.ts";

export type { Demand } from "./demand.ts";
export { guardDriver, guardHost, guardStateFile, stopTraffic } from "./guard.ts";
export type { Hardening, Outcome } from "./harden.ts";
export { problemOf, tableOf } from "./harden.ts";

export interface HostHardeningOptions {
  readonly interfaceName: string;
  readonly runtimeDir: string;
  readonly ownRules: OwnRules;
  /** Ids of demands that the operator answers for; `all` for all. */
  readonly accepted: readonly string[];
  readonly log?: Log;
}

/** All that is demanded of a machine that serves. */
export function createHostHardening(options: HostHardeningOptions): Hardening {
  const { accepted, log } = options;
  const hardening = createHardening({ demands: demandsOf(options), accepted, ...(log && { log }) });
  return {
    ...hardening,
    async undoAll() {
      await hardening.undoAll();
      await rm(memoryPath(options), { force: true });
    },
  };
}

/** The firewall first: with its rules the kernel has connection tracking and its settings. */
export function demandsOf({
  interfaceName,
  runtimeDir,
  ownRules,
}: Pick<HostHardeningOptions, "interfaceName" | "runtimeDir" | "ownRules">): Demand[] {
  return [
    ...rulesetDemands(ownRules),
    flowsDemand(),
    kernelDebugDemand(),
    wireguardGoDemand(interfaceName),
    ...sysctlDemands(memoryAt(memoryPath({ interfaceName, runtimeDir }))),
    ...diskDemands({ interfaceName }),
    ...logDemands(),
    nameServerDemand,
  ];
}

function memoryPath({
  interfaceName,
  runtimeDir,
}: Pick<HostHardeningOptions, "interfaceName" | "runtimeDir">): string {
  return join(runtimeDir, `${interfaceName}.before.json`);
}

/** On a memory disk, since the settings too are gone with a reboot. */
function memoryAt(path: string): Memory {
  return {
    async read() {
      const text = await readFile(path, "utf8").catch(() => "{}");
      return parseValues(text);
    },
    async write(values) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeFile(`${path}.new`, JSON.stringify(values), { mode: 0o600 });
      await rename(`${path}.new`, path);
    },
  };
}

function parseValues(text: string): Record<string, string> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return {};
    return Object.fromEntries(Object.entries(value).filter(([, entry]) => typeof entry === "string"));
  } catch {
    return {};
  }
}
