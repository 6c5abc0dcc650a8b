import { deviceErrors } from "@securewave/contracts";
import { constraintOf, type Database } from "@securewave/database";
import { RefusalError } from "@securewave/foundation";
import type { Nodes } from "../nodes/index.ts";
import type { Plans } from "../plans/index.ts";
import type { SettingsStore } from "../settings/index.ts";
import { refusalOf } from "./refusals.ts";
import * as store from "./store.ts";

export interface PlacingOptions {
  readonly database: Database;
  readonly nodes: Pick<Nodes, "choose" | "isAvailable">;
  readonly settings: SettingsStore;
  readonly plans: Pick<Plans, "planOf">;
}

export type Placing = ReturnType<typeof createPlacing>;

/** On which nodes devices are, and where new ones get their addresses. */
export function createPlacing({ database, nodes, settings, plans }: PlacingOptions) {
  const { db } = database;
  /** Which source had an address last: asking it first saves the other attempt. */
  let likelySource: store.AddressSource = "fresh";

  async function choose(wished: string | undefined, except: ReadonlySet<string>): Promise<string> {
    if (wished === undefined) {
      const node = await nodes.choose(except);
      if (!node) throw deviceErrors.noServer();
      return node.id;
    }
    if (!(await nodes.isAvailable(wished))) throw deviceErrors.serverUnavailable();
    return wished;
  }

  /**
   * Tries the wished node, or else the least loaded, one after another: what is known of their room may be a moment old.
   *
   * @throws devices.no_server, devices.server_unavailable
   */
  async function onNode<Result>(
    wished: string | undefined,
    except: Iterable<string>,
    attempt: (nodeId: string) => Promise<Result>,
  ): Promise<Result> {
    const full = new Set(except);
    for (;;) {
      const nodeId = await choose(wished, full);
      try {
        return await attempt(nodeId);
      } catch (error) {
        if (wished !== undefined || !isServerUnavailable(error)) throw error;
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
    const hasRoom = await store.hasRoom(db, device.node_id);
    throw hasRoom ? deviceErrors.poolExhausted() : deviceErrors.serverUnavailable();
  }

  return {
    onNode,

    /** Adds a device. */
    async place<Device extends Omit<store.NewDevice, "node_id">>(device: Device, wished: string | undefined) {
      const { devices_per_account_max: usual } = await settings.read();
      const devicesMax = plans.planOf(device.account_id).devices_max ?? usual;
      return onNode(wished, [], async (node_id) => {
        const placing = { ...device, node_id };
        return { ...placing, ...(await insert(placing, devicesMax)) };
      });
    },
  };
}

function isServerUnavailable(error: unknown): boolean {
  return error instanceof RefusalError && error.code === deviceErrors.serverUnavailable.code;
}
