import { AgentError } from "./errors.ts";
import { mustRun, runProgram } from "./run-program.ts";

/** Which driver of the kernel an interface has (`wireguard`, `tun`, …); undefined when there is no interface. */
export async function linkKind(name: string): Promise<string | undefined> {
  const { code, stdout } = await runProgram("ip", ["-json", "-details", "link", "show", "dev", name]);
  if (code !== 0) return undefined;
  const [link]: unknown[] = JSON.parse(stdout);
  const info = fieldOf(link, "linkinfo");
  const kind = fieldOf(info, "info_kind");
  return typeof kind === "string" ? kind : "other";
}

export async function removeLink(name: string): Promise<void> {
  if ((await linkKind(name)) === undefined) return;
  await mustRun("removing the interface", "ip", ["link", "delete", "dev", name]);
}

/** Whether the kernel can make WireGuard interfaces. Asking makes it load the module. */
export async function kernelHasWireGuard(): Promise<boolean> {
  const probe = `swprobe${process.pid % 100_000}`;
  const { code, stderr } = await runProgram("ip", ["link", "add", "dev", probe, "type", "wireguard"]);
  if (code === 0) {
    await removeLink(probe);
    return true;
  }
  if (/not permitted/i.test(stderr)) {
    throw new AgentError("Network interfaces cannot be made. Run this program as root.");
  }
  return false;
}

export function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && name in value
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}
