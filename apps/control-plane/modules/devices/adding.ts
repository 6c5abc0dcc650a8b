import { type api, type BodyOf, type DeviceWithKeys, deviceErrors } from "@securewave/contracts";
import type { Database } from "@securewave/database";
import { type Clock, createId, dayOf } from "@securewave/foundation";
import type { DataKeys } from "../data-keys/index.ts";
import type { AgreeAnew } from "./agreeing.ts";
import type { PlacedDevice } from "./device.ts";
import type { KeyPairs } from "./key-pairs.ts";
import type { Names } from "./names.ts";
import type { Placing } from "./placing.ts";
import * as store from "./store.ts";
import type { Views } from "./views.ts";

export interface AddingOptions {
  readonly database: Database;
  readonly dataKeys: DataKeys;
  readonly clock: Clock;
  readonly names: Names;
  readonly keyPairs: KeyPairs;
  readonly agreeAnew: AgreeAnew;
  readonly placing: Placing;
  readonly views: Views;
  readonly nodesChanged: (nodeIds: Iterable<string | null>) => void;
}

type NewDevice = BodyOf<typeof api.devices.create>;

/** Adds devices; a request that is sent again, since its answer was lost, adds none. */
export function createAdding(options: AddingOptions) {
  const { database, dataKeys, clock, names, keyPairs, agreeAnew, placing, views, nodesChanged } = options;

  /** The same key and name again is the same request again: its answer was lost on the way. */
  async function findRepeated(accountId: string, input: NewDevice): Promise<PlacedDevice | undefined> {
    const present =
      input.public_key === undefined ? undefined : await store.findByPublicKey(database.db, input.public_key);
    const isSame =
      present?.account_id === accountId &&
      present.state === "active" &&
      names.open(present).name === input.name;
    return isSame ? present : undefined;
  }

  /** Agrees the preshared key anew where the request asks for one: the answer that had it was lost. */
  async function answerRepeated(
    present: PlacedDevice,
    input: NewDevice,
  ): Promise<DeviceWithKeys | undefined> {
    const { public_key, encapsulation_key } = input;
    if (encapsulation_key === undefined) return views.withTunnel(present);
    if (public_key === undefined) throw deviceErrors.needsOwnKey();
    if (present.public_key !== public_key) return views.withTunnel(present);
    const ciphertext = await agreeAnew(present, encapsulation_key);
    if (ciphertext === undefined) return undefined;
    return views.withKeys(await views.getOwn(present.account_id, present.id), ciphertext);
  }

  async function create(accountId: string, input: NewDevice): Promise<DeviceWithKeys> {
    await keyPairs.demandUsable(input);
    const id = createId("device");
    const account_number = await dataKeys.numberOf(accountId);
    const today = dayOf(clock.now());
    const key = await keyPairs.keyFor(accountId, id, input);
    const device = {
      id,
      account_id: accountId,
      ...names.seal(account_number, id, input.name),
      type: input.type ?? "other",
      ...key.columns,
      created_on: today,
      key_version: 1,
      key_made_on: today,
      rotation_days: null,
    };
    try {
      const placed = await placing.place(device, input);
      nodesChanged([placed.node_id]);
      const added = { ...placed, account_number, state: "active", retiring: [] } as const;
      return await views.withKeys(added, key.ciphertext);
    } catch (error) {
      const repeated = await findRepeated(accountId, input);
      const answer = repeated && (await answerRepeated(repeated, input));
      if (!answer) throw error;
      return answer;
    }
  }

  return {
    /**
     * Registers a device and gives it an address on a node.
     *
     * @throws devices.invalid_key, devices.key_in_use, devices.name_in_use, devices.limit_reached,
     *   devices.pool_exhausted, devices.server_unavailable, devices.no_server, devices.needs_own_key,
     *   devices.invalid_encapsulation_key
     */
    create,

    /** Gets the active device of a name, or adds it; throws what `create` does. */
    async ensure(accountId: string, input: NewDevice): Promise<DeviceWithKeys> {
      const nameIndex = names.indexOf(await dataKeys.numberOf(accountId), input.name);
      const find = async () => {
        const present = await store.findActiveByName(database.db, accountId, nameIndex);
        return present && answerRepeated(present, input);
      };
      return (
        (await find()) ??
        create(accountId, input).catch(async (error: unknown) => {
          const other = await find();
          if (!other) throw error;
          return other;
        })
      );
    },
  };
}
