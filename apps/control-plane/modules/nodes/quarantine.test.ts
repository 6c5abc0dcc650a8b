import { encodeFigures } from "@securewave/contracts/node-frames";
import { eventually } from "@securewave/testing/eventually";
import { afterAll, expect, test } from "vitest";
import { connectNode, openTestApp } from "../../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());

test("a node that reports what cannot be is quarantined, which staff see and lift; then it counts anew", async () => {
  const admin = await service.admin();
  const node = await connectNode(service);
  const params = { id: node.identity.id };
  const show = () => admin.client.nodes.show({ params });
  const person = await service.person();
  const device = await person.client.devices.create({ body: { name: "Phone", server_id: params.id } });
  await node.holds(device.public_key);
  const session = async () =>
    (await person.client.devices.show({ params: { id: device.id } })).connection.received_bytes;
  node.report([{ public_key: device.public_key, received_bytes: 0 }]);
  node.report([{ public_key: device.public_key, received_bytes: 1000 }]);
  await eventually(async () => expect(await session()).toBe(1000));

  const slots = node.slots();
  const impossible = new Float64Array(slots.length).fill(-1);
  const ages = new Uint8Array(slots.length).fill(1);
  node.socket().send(
    encodeFigures({
      kind: "report",
      roster: node.rosterNumber(),
      sequence: 9,
      received: impossible,
      sent: impossible,
      ages,
    }),
  );
  await eventually(async () => expect(await show()).toMatchObject({ quarantined: true, state: "degraded" }));
  expect((await show()).problem).toContain("cannot be");
  await service.app.audit.sign();
  const kinds = async () =>
    (await admin.client.audit.list()).items.map(({ body }) => [body?.kind, body?.details]);
  expect(await kinds()).toContainEqual(["node_quarantined", { reason: "no_count" }]);

  await node.disconnect();
  await node.connect({ claim: { revision: node.revision() } }); // it is not healthy, so nothing waits for that
  expect(await show(), "it stays so when it comes back").toMatchObject({ quarantined: true });

  const { incarnation } = node.counting();
  await admin.client.nodes.trust({ params });
  await eventually(async () => {
    expect(node.counting().incarnation).not.toBe(incarnation);
    const { rows } = await service.database.pool.query("select counting from nodes where id = $1", [
      params.id,
    ]);
    expect(rows).toEqual([{ counting: "trusted" }]);
  });
  expect(await show()).toMatchObject({ quarantined: false, state: "healthy", problem: null });
});
