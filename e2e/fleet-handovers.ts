import { generateKeyPair } from "@securewave/wireguard";
import { configOf } from "./device-config.ts";
import type { FleetClient } from "./fleet-client.ts";
import type { FleetNode } from "./fleet-node.ts";
import type { FleetDevice } from "./fleet-scene.ts";
import type { Person } from "./people.ts";

/** Moves a connected device to another node and its client after it. @returns pings that nothing answered */
export async function packetsLostByMoving(
  owner: Person,
  { device, privateKey }: FleetDevice,
  client: FleetClient,
  to: FleetNode,
): Promise<number> {
  await using pings = await client.pings();
  const moved = await owner.client.devices.move({
    params: { id: device.id },
    body: { server_id: to.node.id },
  });
  await to.holds(device.public_key);
  await client.use(configOf(privateKey, moved));
  await settled();
  return pings.lostSince(0);
}

/** Gives a connected device a new key and its client the new config. @returns with the pings that nothing answered */
export async function packetsLostByRotating(
  owner: Person,
  { device }: FleetDevice,
  client: FleetClient,
  node: FleetNode,
): Promise<{ lost: number; rotated: FleetDevice }> {
  await using pings = await client.pings();
  const { publicKey, privateKey } = generateKeyPair();
  const rotated = await owner.client.devices.rotate({
    params: { id: device.id },
    body: { public_key: publicKey },
  });
  await node.holds(publicKey);
  const configuration = configOf(privateKey, rotated);
  await client.use(configuration);
  await settled();
  return { lost: pings.lostSince(0), rotated: { device: rotated, privateKey, configuration } };
}

/** Long enough for what was sent before to be answered. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 500));
}
