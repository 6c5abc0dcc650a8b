import type { Client, DeviceType } from "@securewave/contracts";
import { createKeyMaker, type KeyedDevice, type KeyWish } from "../../own-keys.ts";
import { type Place, placeInput } from "../../servers.ts";

export interface NewDevice {
  readonly name: string;
  readonly type: DeviceType;
  readonly place: Place;
  readonly keys: KeyWish;
}

/** Adds devices; the same sent again after a lost answer leads to the same device. */
export function createDeviceAdder(
  client: Client,
  country: () => string | undefined,
): (input: NewDevice) => Promise<KeyedDevice> {
  const makeKeys = createKeyMaker(client);
  return ({ name, type, place, keys }) =>
    makeKeys(keys, (input) =>
      client.devices.create({ body: { name, type, ...placeInput(place, country()), ...input } }),
    );
}
