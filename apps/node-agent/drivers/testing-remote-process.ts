/** Runs a driver for `testing-remote.ts` in the network namespace that this process was started in. */
import type { WireGuardDriver } from "./driver.ts";
import { createSpawnedDriver } from "./spawned.ts";
import { createUserspaceDriver } from "./userspace.ts";

const [kind, runtimeDir = ""] = process.argv.slice(2);
const userspace = createUserspaceDriver();
/** `wg` drives wireguard-go as well; only making the interface differs from the kernel's. */
const spawned = createSpawnedDriver({
  runtimeDir,
  implementation: "userspace",
  async create(settings) {
    const maker = createUserspaceDriver();
    const outcome = await maker.open(settings);
    maker.detach();
    return outcome;
  },
});
const driver = kind === "spawned" ? spawned : userspace;

type Method = Exclude<keyof WireGuardDriver, "implementation">;

process.on("message", async ({ method, args }: { method: Method; args: never[] }) => {
  try {
    process.send?.({ result: await (driver[method] as (...args: never[]) => unknown)(...args) });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.message : String(error) });
  }
});
process.on("disconnect", () => driver.detach());
process.send?.({ result: "ready" });
