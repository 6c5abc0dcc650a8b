import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Drill, Measured } from "../drill.ts";
import { startArchivedWrites } from "../parts/archived-writes.ts";
import { backedUp } from "../parts/backups.ts";
import { securewave } from "../parts/command.ts";
import { startNode } from "../parts/node.ts";
import { demandServing, startService } from "../parts/service.ts";
import { until } from "../parts/waiting.ts";

/**
 * The machine of the control plane is gone with all that was on it. Another one takes its place, with what was kept
 * elsewhere: the backups, the key that opens them, the service's secrets, and the data key. The name leads to it then,
 * and nodes come back by themselves.
 */
export async function regionOutage(drill: Drill): Promise<Measured> {
  drill.step("a service that backs itself up elsewhere, with a server and a device");
  const env = await backedUp(drill);
  const service = await startService(drill, { name: "first", env });
  const { client: admin } = await service.admin();
  const node = await startNode(drill, service, "Node-1");
  const customer = await service.customer("customer");
  const device = await customer.client.devices.create({ body: { name: "Phone" } });
  await node.holds(device.public_key);
  const writes = await startArchivedWrites(drill, admin);

  await service.program.cut();
  const faultMs = performance.now();
  await rm(service.dir, { recursive: true, force: true, maxRetries: 5 });
  drill.step("the machine is gone, with its data folder");

  const dir = join(drill.dir, "second");
  const dataDir = join(dir, "data");
  await mkdir(join(dataDir, "never-in-backups"), { recursive: true, mode: 0o700 });
  await copyFile(env.DATA_KEY_COPIES ?? "", join(dataDir, "never-in-backups", "data.key"));
  drill.step(
    "another machine has the secrets, the key of the backups and the data key from where they are kept",
  );
  await securewave(drill, { dir, env: { ...service.env, DATA_DIR: dataDir } }, [
    ...["backup", "restore", "--to", "latest"],
  ]);
  const second = await startService(drill, { name: "second", port: service.port, env });
  const rtoSeconds = ((await writes.nextAfter(faultMs)) - faultMs) / 1000;
  drill.step("the service answers there, and writes are acknowledged");
  await demandServing(second);

  await until("the server coming back", async () => {
    const { state } = await admin.nodes.show({ params: { id: node.id } });
    if (state !== "healthy") throw new Error(`it is ${state}`);
  });
  drill.step(`the server is connected again after ${((performance.now() - faultMs) / 1000).toFixed(1)} s`);
  const again = await second.logIn(customer.email);
  const { items } = await again.client.devices.list();
  drill.check(
    "the customer logs in, and the device is there",
    items.some(({ id }) => id === device.id),
  );
  return { rtoSeconds, ...(await writes.settle(faultMs)) };
}
