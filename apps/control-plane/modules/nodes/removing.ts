import { nodeErrors } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, dayOf } from "@securewave/foundation";
import type { Bus } from "../../bus.ts";
import type { Audit } from "../audit/index.ts";
import * as store from "./store.ts";

export interface RemovingOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Audit;
}

/** Which nodes are no more. Their rows stay, so that their agents can be told when they come again. */
export function createRemoving({ database, clock, bus, audit }: RemovingOptions) {
  /**
   * @param now also while devices that were moved away can still use it
   * @throws nodes.not_found, nodes.not_empty, nodes.still_used
   */
  return async function remove(id: string, now: boolean, actor: string): Promise<void> {
    await database.transaction(async (trx) => {
      const node = await store.lockNode(trx, id);
      if (!node) throw nodeErrors.notFound();
      if (node.devices > 0) throw nodeErrors.notEmpty();
      if (!now && (await store.hasFormerPlaces(trx, id))) throw nodeErrors.stillUsed();
      await store.removeNode(trx, id, dayOf(clock.now()));
      await audit.record(trx, { kind: "node_removed", actor, subject: id });
    });
    bus.publish("registry-changed", "nodes");
    bus.publish("node-changed", id);
  };
}
