import { readFile, writeFile } from "node:fs/promises";
import { release } from "node:os";
import { type Demand, elsewhere, failed, met } from "./demand.ts";
import { isSilent, readText, wireguardProcesses } from "./processes.ts";

const CONTROLS = ["/proc/dynamic_debug/control", "/sys/kernel/debug/dynamic_debug/control"];

/** A line of the wireguard module that prints: `…/receive.c:123 [wireguard]wg_receive =pmf "…"`. */
const PRINTING = /\[wireguard\]\S+ =[a-z]*p[a-z]* /;

/**
 * The module names each peer's address in its debugging messages.
 *
 * @see https://docs.kernel.org/admin-guide/dynamic-debug-howto.html
 */
export function kernelDebugDemand(controls: readonly string[] = CONTROLS): Demand {
  async function readControl() {
    for (const path of controls) {
      try {
        return { path, text: await readFile(path, "utf8") };
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code !== "ENOENT") return "hidden";
      }
    }
    return undefined;
  }

  return {
    id: "wireguard-debug",
    why: "the kernel's WireGuard would log customers' addresses",
    isEssential: true,
    async check() {
      const control = await readControl();
      if (control === "hidden") {
        return elsewhere(
          "The kernel's debugging messages cannot be seen here: not this namespace's to set. Check them on the host.",
        );
      }
      if (control === undefined) return checkBuild();
      if (!PRINTING.test(control.text)) return met;
      return failed(
        `WireGuard's debugging messages are on, which hold addresses. Switch them off: echo 'module wireguard -p' > ${control.path}`,
      );
    },
    async apply() {
      const control = await readControl();
      if (control === undefined || control === "hidden" || !PRINTING.test(control.text)) return;
      await writeFile(control.path, "module wireguard -p").catch(() => undefined);
    },
  };
}

/** Without dynamic debugging the messages are in the module or they are not. */
async function checkBuild() {
  const isOn = /^CONFIG_WIREGUARD_DEBUG=y$/m.test(await readText(`/boot/config-${release()}`));
  return isOn ? failed("This kernel's WireGuard was built to log addresses. Use another kernel.") : met;
}

/** wireguard-go's errors quote addresses that packets could not be sent to. */
export function wireguardGoDemand(interfaceName: string): Demand {
  return {
    id: "wireguard-go-log",
    why: "wireguard-go would log customers' addresses",
    isEssential: true,
    async check() {
      for (const pid of await wireguardProcesses(interfaceName)) {
        if (!(await isSilent(pid))) {
          return failed(
            "wireguard-go was started with a log. Stop agent and interface, and let the agent start it: ip link delete",
          );
        }
      }
      return met;
    },
  };
}
