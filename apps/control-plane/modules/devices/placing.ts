import { deviceErrors } from "@securewave/contracts";
import { constraintOf, type Database } from "@securewave/database";
import { isRefusalOf } from "@securewave/foundation";
import type { Nodes } from "../nodes/index.ts";
import type { Plans } from "../plans/index.ts";
import type { PlaceWish, Servers } from "../servers/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import { refusalOf, refusalOfMove } from "./refusals.ts";
import * as store from "./store.ts";

export interface PlacingOptions {
  readonly database: Database;
  readonly nodes: Pick<Nodes, "noteDevice">;
  readonly servers: Pick<Servers, "choose" | "chooseInstead" | "isKept">;
  readonly settings: SettingsStore;
  readonly plans: Pick<Plans, "planOf">;
}

export type Placing = ReturnType<typeof createPlacing>;

/** Whose device is to be where. */
export interface Placed {
  readonly id: string;
  readonly account_id: string;
}

/** On which nodes devices are, and where new ones get their addresses. */
export function createPlacing({ database, nodes, servers, settings, plans }: PlacingOptions) {
  const { db } = database;
  /** Which source had an address last: asking it first saves the other attempt. */
  let likelySource: store.AddressSource = "fresh";

  /**
   * Tries one node after another: what is known of their room may be a moment old.
   *
   * @param choose gives the next one; those that turned out to be full are not wanted
   */
  async function onNode<Result>(
    choose: (except: ReadonlySet<string>) => Promise<string>,
    except: Iterable<string>,
    attempt: (nodeId: string) => Promise<Result>,
  ): Promise<Result> {
    const full = new Set(except);
    for (;;) {
      const nodeId = await choose(full);
      if (full.has(nodeId)) throw deviceErrors.serverUnavailable();
      try {
        const result = await attempt(nodeId);
        nodes.noteDevice(nodeId);
        return result;
      } catch (error) {
        if (!isRefusalOf(error, deviceErrors.serverUnavailable)) throw error;
        full.add(nodeId);
      }
    }
  }

  async function insert(device: store.NewDevice, devicesMax: number) {
    const sources: store.AddressSource[] =
      likelySource === "fresh" ? ["fresh", "released"] : ["released", "fresh"];
    for (const source of sources) {
      try {
        const placed = await store.insertDevice(db, device, devicesMax, source);
        likelySource = source;
        return placed;
      } catch (error) {
        if (constraintOf(error) !== "devices_active_have_place") throw refusalOf(error);
      }
    }
    throw deviceErrors.poolExhausted();
  }

  return {
    /** Adds a device. */
    async place<Device extends Omit<store.NewDevice, "node_id">>(device: Device, wish: PlaceWish) {
      const { devices_per_account_max: usual } = await settings.read();
      const devicesMax = plans.planOf(device.account_id).devices_max ?? usual;
      const choose = (except: ReadonlySet<string>) =>
        servers.choose(device.account_id, wish, device.id, except);
      return onNode(choose, [], async (node_id) => {
        const placing = { ...device, node_id };
        return { ...placing, ...(await insert(placing, devicesMax)) };
      });
    },

    /** Has a device moved to the node that is wished, or else the best other one. */
    async move(
      device: Placed & { readonly node_id: string },
      wish: PlaceWish,
      moveTo: (nodeId: string) => Promise<void>,
    ): Promise<void> {
      const choose = (except: ReadonlySet<string>) =>
        servers.choose(device.account_id, wish, device.id, except).catch((error: unknown) => {
          throw refusalOfMove(error);
        });
      // One that is wished may be the present one: then nothing changes.
      const except = wish.server_id === undefined ? [device.node_id] : [];
      await onNode(choose, except, moveTo);
    },
  };
}
