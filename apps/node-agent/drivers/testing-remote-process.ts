/** Runs a driver for `testing-remote.ts` in the network namespace that this process was started in. */
import type { Peer } from "@securewave/wireguard";
import type { PeerChange } from "./driver.ts";
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

/** Starts both before either has ended. */
const resetAndApply = (peers: readonly Peer[], change: PeerChange) =>
  Promise.all([driver.reset(peers), driver.apply(change)]);
const methods = { ...driver, resetAndApply };

type Method = Exclude<keyof typeof methods, "implementation">;

process.on("message", async ({ method, args }: { method: Method; args: never[] }) => {
  try {
    process.send?.({ result: await (methods[method] as (...args: never[]) => unknown)(...args) });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.message : String(error) });
  }
});
process.on("disconnect", () => driver.detach());
process.send?.({ result: "ready" });
