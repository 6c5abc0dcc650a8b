import { type Check, ok, warn } from "./check.ts";
import type { Machine } from "./machine.ts";

const TUN_PATH = "/dev/net/tun";

/** What a VPN server needs of the machine. Nothing here hinders a service whose nodes are elsewhere. */
export async function checkTunnel(machine: Machine): Promise<Check[]> {
  if (machine.platform !== "linux") return [];
  const userspace = await machine.run("wireguard-go", ["--version"]);
  const kernel = await checkKernel(machine, userspace !== undefined);
  return [
    kernel,
    checkUserspace(userspace?.stdout, kernel.verdict === "ok" && kernel.finding === KERNEL_THERE),
    await checkTun(machine),
    await checkTool(machine, "wg", ["--version"], "wireguard-tools"),
    await checkTool(machine, "nft", ["--version"], "nftables"),
    await checkTool(machine, "ip", ["-V"], "iproute2"),
  ];
}

const KERNEL_THERE = "there";

async function checkKernel(machine: Machine, hasUserspace: boolean): Promise<Check> {
  const name = "Kernel WireGuard";
  if (await hasKernelWireGuard(machine)) return ok(name, KERNEL_THERE);
  if (hasUserspace) return ok(name, "not there; wireguard-go does its work");
  return warn(
    name,
    "not there",
    "Use a kernel that has it (Linux 5.6 or newer), or apt install wireguard-go",
  );
}

async function hasKernelWireGuard(machine: Machine): Promise<boolean> {
  if (machine.exists("/sys/module/wireguard")) return true;
  if (machine.uid !== 0) return (await machine.run("modinfo", ["wireguard"]))?.succeeded === true;
  // The interface ends with the network namespace, which ends with the program.
  const args = ["--net", "ip", "link", "add", "name", "probe", "type", "wireguard"];
  return (await machine.run("unshare", args))?.succeeded === true;
}

function checkUserspace(version: string | undefined, hasKernel: boolean): Check {
  const name = "wireguard-go";
  if (version !== undefined) return ok(name, version.split("\n")[0] || "there");
  if (hasKernel) return ok(name, "not there, and not needed beside the kernel's");
  return warn(name, "not there", "apt install wireguard-go");
}

async function checkTun(machine: Machine): Promise<Check> {
  if (await machine.canOpenDevice(TUN_PATH)) return ok(TUN_PATH, "can be opened");
  if (!machine.exists(TUN_PATH)) {
    return warn(
      TUN_PATH,
      "not there",
      "Load it: modprobe tun. In a container, pass it on: --device /dev/net/tun",
    );
  }
  return warn(TUN_PATH, "cannot be opened", "Run as root with the capability NET_ADMIN");
}

async function checkTool(
  machine: Machine,
  tool: string,
  args: string[],
  debianPackage: string,
): Promise<Check> {
  const found = await machine.run(tool, args);
  if (found === undefined) return warn(tool, "not there", `apt install ${debianPackage}`);
  return ok(tool, found.stdout.split("\n")[0]?.trim() || "there");
}
