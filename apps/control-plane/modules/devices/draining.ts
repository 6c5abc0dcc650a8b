import { deviceErrors } from "@securewave/contracts";
import type { Database, Tables } from "@securewave/database";
import { type Clock, dayOf, isRefusalOf } from "@securewave/foundation";
import type { Kysely } from "kysely";
import type { Nodes } from "../nodes/index.ts";
import type { Plans } from "../plans/index.ts";
import type { Servers } from "../servers/index.ts";
import { dayAfter, type OwnedDevice } from "./device.ts";
import * as drainStore from "./drain-store.ts";
import { moveDevice } from "./moving.ts";
import * as peerStore from "./peer-store.ts";
import { listActiveOf } from "./store.ts";

export interface DrainingOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly nodes: Pick<Nodes, "noteDevice">;
  readonly servers: Pick<Servers, "chooseInstead">;
  readonly plans: Pick<Plans, "planOf">;
  readonly nodesChanged: (nodeIds: Iterable<string | null>) => void;
}

/** Queues the letter that tells an owner, if the devices are moved. */
export type TellMoved = (trx: Kysely<Tables>, accountId: string, validUntil: string) => Promise<void>;

/** A device's former config works for so many days more: its owner did not ask for another one. */
const FORMER_DAYS = 7;
const BATCH_DEVICES = 200;

interface Target {
  readonly deviceId: string;
  readonly nodeId: string;
}

type Outcome =
  | { readonly kind: "moved"; readonly nodeIds: readonly string[] }
  /** No server that the plan has takes another device. */
  | { readonly kind: "no_place" }
  /** The node drains no more. */
  | { readonly kind: "ended" };

interface Round {
  readonly tell: TellMoved;
  /** Plans whose servers have no room: asking for each of their devices would cost much and change nothing. */
  readonly hopeless: Set<string>;
  readonly failures: unknown[];
}

/**
 * Moves devices away from nodes that drain, each to the best node of its region, else of the nearest. Who finds no place
 * stays where it is until the next time.
 */
export function createDraining({ database, clock, nodes, servers, plans, nodesChanged }: DrainingOptions) {
  const { db } = database;

  async function moveTogether(
    accountId: string,
    fromId: string,
    targets: readonly Target[],
    tell: TellMoved,
    tried: (nodeId: string) => void,
  ): Promise<Outcome> {
    return database.transaction<Outcome>(async (trx) => {
      await peerStore.lockOwner(trx, accountId);
      const devices = await listActiveOf(trx, accountId);
      await peerStore.lockNodes(trx, [fromId, ...targets.map(({ nodeId }) => nodeId)]);
      if (!(await drainStore.isDraining(trx, fromId))) return { kind: "ended" };
      const validUntil = dayAfter(dayOf(clock.now()), FORMER_DAYS);
      const wasMoved = (device: OwnedDevice) => wasMovedUntil(device, validUntil);
      const isTold = devices.some(wasMoved);
      const nodeIds: string[] = [];
      let isNews = false;
      for (const { deviceId, nodeId } of targets) {
        const device = devices.find(({ id }) => id === deviceId);
        if (device?.node_id !== fromId) continue; // moved or revoked meanwhile
        tried(nodeId);
        await moveDevice(trx, { ...device, node_id: fromId }, nodeId, validUntil);
        isNews ||= !isTold || wasMoved(device);
        nodeIds.push(nodeId);
      }
      if (isNews) await tell(trx, accountId, validUntil);
      return { kind: "moved", nodeIds };
    });
  }

  async function targetsOf(
    { account_id, device_ids }: drainStore.Household,
    region: string,
    except: ReadonlySet<string>,
  ): Promise<Target[]> {
    const targets: Target[] = [];
    for (const deviceId of device_ids) {
      const nodeId = await servers.chooseInstead(account_id, region, deviceId, except);
      if (nodeId !== undefined) targets.push({ deviceId, nodeId });
    }
    return targets;
  }

  /** What is known of other nodes' room may be a moment old, so it goes on until they have what they can take. */
  async function moveHousehold(
    household: drainStore.Household,
    from: drainStore.DrainingNode,
    tell: TellMoved,
  ): Promise<Outcome> {
    const except = new Set([from.id]);
    for (;;) {
      const targets = await targetsOf(household, from.region, except);
      if (targets.length === 0) return { kind: "no_place" };
      let last = "";
      const tried = (nodeId: string) => {
        last = nodeId;
      };
      try {
        return await moveTogether(household.account_id, from.id, targets, tell, tried);
      } catch (error) {
        if (!isRefusalOf(error, deviceErrors.serverUnavailable)) throw error;
        except.add(last);
      }
    }
  }

  /** @returns whether the node drains still */
  async function drainBatch(
    from: drainStore.DrainingNode,
    households: readonly drainStore.Household[],
    { tell, hopeless, failures }: Round,
  ): Promise<boolean> {
    const changed = new Set<string>();
    let isDraining = true;
    for (const household of households) {
      const plan = plans.planOf(household.account_id).id;
      if (hopeless.has(plan) || !isDraining) continue;
      const outcome = await moveHousehold(household, from, tell).catch((error: unknown) => {
        failures.push(error);
      });
      isDraining = outcome?.kind !== "ended";
      if (outcome?.kind === "no_place") hopeless.add(plan);
      if (outcome?.kind !== "moved") continue;
      for (const nodeId of outcome.nodeIds) nodes.noteDevice(nodeId);
      for (const nodeId of [from.id, ...outcome.nodeIds]) changed.add(nodeId);
    }
    nodesChanged(changed);
    return isDraining;
  }

  async function drain(from: drainStore.DrainingNode, tell: TellMoved, failures: unknown[]): Promise<void> {
    const round = { tell, hopeless: new Set<string>(), failures };
    let after: drainStore.Position | undefined = { account_id: "", id: "" };
    while (after) {
      const batch: drainStore.Household[] = await drainStore.listHouseholds(
        db,
        from.id,
        after,
        BATCH_DEVICES,
      );
      after = (await drainBatch(from, batch, round)) ? batch.at(-1)?.last : undefined;
    }
  }

  /**
   * Moves what can be moved, from all nodes that drain.
   *
   * @throws the first failure, once all others are done
   */
  return async function drainAll(tell: TellMoved): Promise<void> {
    const failures: unknown[] = [];
    for (const node of await drainStore.listDraining(db)) await drain(node, tell, failures);
    if (failures.length > 0) throw failures[0];
  };
}

/** Whether it was moved away from somewhere until such a day: its owner knows. */
function wasMovedUntil({ public_key, retiring }: OwnedDevice, day: string): boolean {
  return retiring.some((peer) => peer.public_key === public_key && peer.retires_on === day);
}
