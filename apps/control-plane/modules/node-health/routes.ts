import { api } from "@securewave/contracts";
import type { Mount } from "../../http/mount.ts";
import type { Nodes } from "../nodes/index.ts";
import type { Health } from "./health.ts";

export function mountNodeHealth(mount: Mount, nodes: Nodes, health: Health): void {
  mount(api.nodes.health, async ({ params }) => {
    const { id } = await nodes.show(params.id);
    return { samples: health.samplesOf(id) };
  });
}
