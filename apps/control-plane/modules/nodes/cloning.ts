import type { Database, Tables } from "@securewave/database";
import { type Clock, dayOf, MINUTE_MS } from "@securewave/foundation";
import type { Kysely } from "kysely";
import type { Bus } from "../../bus.ts";
import type { Audit } from "../audit/index.ts";
import * as store from "./store.ts";

/** Tells admins by mail that a node's credential was copied; sent exactly if the transaction commits. */
export type TellCloned = (trx: Kysely<Tables>, nodeId: string) => Promise<void>;

export interface CloningOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Audit;
  readonly tellCloned?: TellCloned;
}

/** Finds out which credentials two machines have. */
export interface Cloning {
  /**
   * A connection was taken over by another one while somebody still answered there. An agent has one at a time, so
   * this is a copy of it, or once in a while a program that was slow to let go.
   *
   * @returns whether the credential has ended with this
   */
  displaced(nodeId: string, credential: string): Promise<boolean>;
}

/** So often within a minute two machines take the node from each other, and it is no chance any more. */
const DISPLACEMENTS_MAX = 3;
const WITHIN_MS = MINUTE_MS;

export function createCloning({ database, clock, bus, audit, tellCloned }: CloningOptions): Cloning {
  /** When, of each node; told on the bus, since the copies may take turns at different replicas. */
  const displacements = new Map<string, number[]>();

  bus.subscribe("node-displaced", (nodeId) => {
    const nowMs = performance.now();
    for (const [id, atMs] of displacements) {
      if (atMs.every((ms) => ms <= nowMs - WITHIN_MS)) displacements.delete(id);
    }
    const recent = (displacements.get(nodeId) ?? []).filter((ms) => ms > nowMs - WITHIN_MS);
    displacements.set(nodeId, [...recent, nowMs]);
  });

  /** @returns whether it was the node's credential until this moment */
  async function endCredential(nodeId: string, credential: string): Promise<boolean> {
    const end = async (trx: Kysely<Tables>) => {
      if (!(await store.endCredential(trx, nodeId, credential, dayOf(clock.now())))) return false;
      await audit.record(trx, { kind: "node_cloned", actor: "system", subject: nodeId });
      await tellCloned?.(trx, nodeId);
      return true;
    };
    // What hears from nodes cannot look up who the admins are.
    const hasEnded = await database.as("worker", () => database.transaction(end));
    if (hasEnded) {
      bus.publish("registry-changed", "nodes");
      bus.publish("node-changed", nodeId);
    }
    return hasEnded;
  }

  return {
    async displaced(nodeId, credential) {
      bus.publish("node-displaced", nodeId);
      if ((displacements.get(nodeId)?.length ?? 0) < DISPLACEMENTS_MAX) return false;
      displacements.delete(nodeId);
      return endCredential(nodeId, credential);
    },
  };
}
