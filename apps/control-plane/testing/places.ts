import type { api, BodyOf } from "@securewave/contracts";
import { connectNode, type FakeNode, type TestApp } from "../testing.ts";

type Place = Omit<BodyOf<typeof api.nodes.change>, "draining">;

export const BERLIN = { region: "Germany", latitude: 52.52, longitude: 13.405 };
export const PARIS = { region: "France", latitude: 48.857, longitude: 2.352 };
export const TOKYO = { region: "Japan", latitude: 35.69, longitude: 139.69 };

/** Joins a node and connects it, at a place. */
export async function connectNodeAt(
  service: TestApp,
  name: string,
  { capacity, ...place }: Place,
): Promise<FakeNode> {
  const node = await connectNode(service, { name, ...(capacity === undefined ? {} : { capacity }) });
  const { client } = await service.admin();
  await client.nodes.change({ params: { id: node.identity.id }, body: place });
  return node;
}

export async function setDraining(service: TestApp, node: FakeNode, draining: boolean): Promise<void> {
  const { client } = await service.admin();
  await client.nodes.change({ params: { id: node.identity.id }, body: { draining } });
}
