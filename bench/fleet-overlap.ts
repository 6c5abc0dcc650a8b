import { packetsLostByMoving, packetsLostByRotating } from "../e2e/fleet-handovers.ts";
import { isFleetPossible, openFleetScene } from "../e2e/fleet-scene.ts";
import type { BenchRun } from "./figure.ts";

const ROUNDS = 3;

/** A customer's connected device is moved, and is given another key, while it pings. */
export async function measureOverlap({ isQuick, progress, report, leaveOut }: BenchRun): Promise<void> {
  if (!isFleetPossible) return leaveOut("move.packets_lost, rotation.packets_lost");
  progress("  a fleet of four nodes and two replicas");
  const scene = await openFleetScene();
  const lost = { moving: 0, rotating: 0 };
  const rounds = isQuick ? 1 : ROUNDS;
  try {
    const { one, two } = scene.nodes;
    const { first: owner } = await scene.addPerson("mover");
    let device = await scene.addDevice(owner, "Laptop", one);
    const client = await scene.addClient(device.configuration);
    for (let round = 0; round < rounds; round++) {
      const [from, to] = round % 2 === 0 ? [one, two] : [two, one];
      progress(`  from ${from.node.name} to ${to.node.name}, then another key, round ${round + 1}`);
      lost.moving += await packetsLostByMoving(owner, device, client, to);
      const rotation = await packetsLostByRotating(owner, device, client, to);
      lost.rotating += rotation.lost;
      device = rotation.rotated;
    }
  } finally {
    await scene.close();
  }
  const how = "the client takes the new config while the former is valid, and pings go on";
  const times = rounds === 1 ? "once" : `${rounds} times`;
  report(
    {
      id: "move.packets_lost",
      value: lost.moving,
      unit: "packets",
      limit: null,
      goal: "=0",
      note: `a connected device moved to another node by one call, ${times}: ${how}`,
    },
    {
      id: "rotation.packets_lost",
      value: lost.rotating,
      unit: "packets",
      limit: null,
      goal: "=0",
      note: `its key rotated, ${times}: likewise`,
    },
  );
}
