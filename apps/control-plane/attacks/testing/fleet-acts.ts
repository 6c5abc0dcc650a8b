import { connectNode, joinNode, type TestApp } from "../../testing.ts";
import { type Acts, act } from "./act.ts";

/** What staff do with nodes, plans and networks. */
export function fleetActs(service: TestApp): Acts {
  return {
    "blocks.add": act("block_added", async () => {
      const { client } = await service.person("support");
      return () => client.blocks.add({ body: { network: "192.0.2.0/24", minutes: 10 } });
    }),
    "blocks.lift": act("block_lifted", async () => {
      const { client } = await service.person("support");
      const { id } = await client.blocks.add({ body: { network: "192.0.2.0/24", minutes: 10 } });
      return () => client.blocks.lift({ params: { id } });
    }),
    "plans.create": act("plan_created", async () => {
      const { client } = await service.admin();
      return () => client.plans.create({ body: { name: "Harbour" } });
    }),
    "plans.change": act("plan_changed", async () => {
      const { client } = await service.admin();
      const { id } = await client.plans.create({ body: { name: "Changed" } });
      return () => client.plans.change({ params: { id }, body: { is_retired: true } });
    }),
    "plans.remove": act("plan_removed", async () => {
      const { client } = await service.admin();
      const { id } = await client.plans.create({ body: { name: "Removed" } });
      return () => client.plans.remove({ params: { id } });
    }),
    "plans.assign": act("account_plan_changed", async () => {
      const [{ client }, { id }] = [await service.admin(), await service.person()];
      const plan = await client.plans.create({ body: { name: "Assigned" } });
      return () => client.plans.assign({ params: { id }, body: { plan_id: plan.id } });
    }),
    "nodes.create": act("node_created", async () => {
      const { client } = await service.admin();
      return () => client.nodes.create({ body: { name: "Harbour", region: "Nowhere" } });
    }),
    "nodes.change": act("node_changed", async () => {
      const [{ client }, { id }] = [await service.admin(), await joinNode(service)];
      return () => client.nodes.change({ params: { id }, body: { draining: true } });
    }),
    "nodes.renewJoinToken": act("node_join_allowed", async () => {
      const [{ client }, { id }] = [await service.admin(), await joinNode(service)];
      return () => client.nodes.renewJoinToken({ params: { id } });
    }),
    "nodes.remove": act("node_removed", async () => {
      const [{ client }, { id }] = [await service.admin(), await joinNode(service)];
      return () => client.nodes.remove({ params: { id } });
    }),
    "nodes.trust": act("node_trusted", async () => {
      const [{ client }, { id }] = [await service.admin(), await joinNode(service)];
      await service.app.nodes.quarantine(id, "backwards");
      return () => client.nodes.trust({ params: { id } });
    }),
    "nodes.join": act(["node_created", "node_joined"], async () => () => joinNode(service)),
    "fleetDevices.revoke": act("device_revoked_by_staff", async () => {
      const [{ client }, one] = [await service.admin(), await service.person()];
      await connectNode(service);
      const { id } = await one.client.devices.create({ body: { name: "Phone" } });
      return () => client.fleetDevices.revoke({ params: { id } });
    }),
  };
}
