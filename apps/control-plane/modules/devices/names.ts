import { isRefusalOf } from "@securewave/foundation";
import type { PageBounds, PageRequest } from "../../http/paging.ts";
import { type AccountKey, type DataKeys, dataKeyErrors, PLACES } from "../data-keys/index.ts";
import type { DeviceRow, Named } from "./device.ts";

type Owned = DeviceRow & { readonly account_number: number };

export type Names = ReturnType<typeof createNames>;

/** Names of devices, which are sealed under the keys of their accounts. */
export function createNames(keys: DataKeys) {
  const openBy = (key: AccountKey, { id, name_sealed }: DeviceRow) =>
    key.open(PLACES.deviceName, id, name_sealed);

  return {
    /** @throws data_keys.forgotten */
    open<Device extends Owned>(device: Device): Named<Device> {
      return { ...device, name: openBy(keys.of(device.account_number), device) };
    },

    /** What finds a name among those of one account. */
    indexOf: (number: number, name: string) => keys.of(number).index(PLACES.deviceName, name),

    seal(number: number, deviceId: string, name: string): Pick<DeviceRow, "name_index" | "name_sealed"> {
      const key = keys.of(number);
      return {
        name_index: key.index(PLACES.deviceName, name),
        name_sealed: key.seal(PLACES.deviceName, deviceId, name),
      };
    },

    /** A page of one account's devices in the order of their names, and one more where there is one. */
    pageOf<Device extends Owned>(devices: readonly Device[], search: string | undefined, bounds: PageBounds) {
      const [first] = devices;
      if (!first) return [];
      const key = keys.of(first.account_number);
      const sought = search?.trim().toLowerCase() ?? "";
      const [afterName, afterId] = bounds.after ?? [];
      const isAfter = ({ name, id }: Named<Device>) =>
        afterName === undefined || afterId === undefined || compare([name, id], [afterName, afterId]) > 0;
      return devices
        .map((device): Named<Device> => ({ ...device, name: openBy(key, device) }))
        .filter((device) => device.name.toLowerCase().includes(sought) && isAfter(device))
        .sort((a, b) => compare([a.name, a.id], [b.name, b.id]))
        .slice(0, bounds.rows);
    },
  };
}

function compare(a: readonly [string, string], b: readonly [string, string]): number {
  const [left, right] = a[0] === b[0] ? [a[1], b[1]] : [a[0], b[0]];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** What is no sealed cursor of this account becomes one that no list knows, and is refused as such. */
export function openCursor(key: AccountKey, accountId: string, page: PageRequest): PageRequest {
  if (page.cursor === undefined) return page;
  return { ...page, cursor: Buffer.from(open(key, accountId, page.cursor)).toString("base64url") };
}

function open(key: AccountKey, accountId: string, cursor: string): string {
  try {
    return key.open(PLACES.cursor, accountId, Buffer.from(cursor, "base64url"));
  } catch (error) {
    if (isRefusalOf(error, dataKeyErrors.unopenable)) return "";
    throw error;
  }
}

export function sealCursor(key: AccountKey, accountId: string, cursor: string | null): string | null {
  if (cursor === null) return null;
  const position = Buffer.from(cursor, "base64url").toString();
  return key.seal(PLACES.cursor, accountId, position).toString("base64url");
}
