import type { Drill, Measured } from "../drill.ts";
import { startNode } from "../parts/node.ts";
import { startService } from "../parts/service.ts";
import { demand, until } from "../parts/waiting.ts";

const DEVICES = 3;

/** A VPN server is gone for good: its devices are served by another one. */
export async function nodeLoss(drill: Drill): Promise<Measured> {
  drill.step("a service and a customer with devices on a server");
  const service = await startService(drill, { name: "service" });
  const { client: admin } = await service.admin();
  const lost = await startNode(drill, service, "Lost-1");
  const customer = await service.customer("customer");
  const devices = [];
  for (let number = 1; number <= DEVICES; number++)
    devices.push(await customer.client.devices.create({ body: { name: `Device ${number}` } }));
  for (const device of devices)
    await lost.program.waitFor(new RegExp(`^holds ${escaped(device.public_key)}$`));
  const spare = await startNode(drill, service, "Spare-1");

  drill.step("the server's machine is gone");
  const faultMs = performance.now();
  await lost.program.cut();
  await until("the loss being seen", async () => {
    const { state } = await admin.nodes.show({ params: { id: lost.id } });
    demand(state === "offline", `it is ${state}`);
  });
  drill.step(`seen by the service after ${((performance.now() - faultMs) / 1000).toFixed(1)} s`);
  await admin.nodes.change({ params: { id: lost.id }, body: { draining: true } });
  drill.step("securewave nodes drain Lost-1");

  const moved = await until("the devices being moved", async () => {
    const { items } = await customer.client.devices.list();
    const there = items.filter(({ server }) => server?.name === spare.name);
    demand(there.length === DEVICES, `${there.length} are`);
    return there;
  });
  for (const { public_key } of moved) await spare.holds(public_key);
  const rtoSeconds = (performance.now() - faultMs) / 1000;
  drill.step("every device is held by the other server");

  const configs = await Promise.all(
    moved.map(({ id }) => customer.client.devices.config({ params: { id } }).catch(() => "")),
  );
  const rendered = configs.filter((text) => String(text).includes("[Interface]")).length;
  drill.check("every device's new config can be fetched", rendered === DEVICES);
  const { client: again } = await service.logIn(customer.email);
  const found = (await again.devices.list()).items.map(({ name }) => name).sort();
  drill.check("no device was lost", found.length === DEVICES);
  return { rtoSeconds, rpoSeconds: 0, acknowledged: DEVICES, lost: DEVICES - found.length };
}

function escaped(text: string): string {
  return text.replace(/[+/]/g, "\\$&");
}
