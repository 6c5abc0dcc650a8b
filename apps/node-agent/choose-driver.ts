import type { WireGuardDriver } from "./drivers/driver.ts";
import { createSpawnedDriver } from "./drivers/spawned.ts";
import { createUserspaceDriver } from "./drivers/userspace.ts";
import { checkHost } from "./host.ts";
import { kernelHasWireGuard, linkKind } from "./links.ts";

/**
 * The driver for an interface: the one that fits an interface that is there, else the kernel's WireGuard, else
 * wireguard-go.
 *
 * @throws AgentError when something is missing on this machine
 */
export async function chooseDriver(interfaceName: string, runtimeDir: string): Promise<WireGuardDriver> {
  await checkHost(["ip", "nft"]);
  const kind = await linkKind(interfaceName);
  const isKernel = kind === undefined ? await kernelHasWireGuard() : kind === "wireguard";
  await checkHost([isKernel ? "wg" : "wireguard-go"]);
  return isKernel ? createSpawnedDriver({ runtimeDir }) : createUserspaceDriver();
}
