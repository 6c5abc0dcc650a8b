import { labRequirements } from "@securewave/testing";
import type { Bench } from "./figure.ts";
import { measureBigNode } from "./fleet-big-node.ts";
import { measureOverlap } from "./fleet-overlap.ts";
import { measureFleet } from "./fleet-storm.ts";

export const fleet: Bench = {
  name: "fleet",
  async measure(run) {
    await measureFleet(run);
    if (!labRequirements().ok) return run.leaveOut("node.*_20k, move.packets_lost, rotation.packets_lost");
    await measureBigNode(run);
    await measureOverlap(run);
  },
};
