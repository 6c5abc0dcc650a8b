import { canonicalAllowedIp } from "@securewave/wireguard";
import { AgentError } from "./errors.ts";
import { type Address, type Place, SHARD_CLASSES_MAX, SHARDS_MAX } from "./shaping-commands.ts";

export interface Limit {
  /** The device's in the tunnel, with or without prefix length. */
  readonly addresses: readonly string[];
  /** In each direction, as the tunnel carries it: with IP headers, without WireGuard's own. */
  readonly kbitPerSecond: number;
}

/** A limit whose addresses were checked. */
export interface Wanted {
  readonly addresses: readonly Address[];
  readonly kbitPerSecond: number;
}

export interface Speed {
  readonly place: Place;
  readonly kbitPerSecond: number;
}

export interface Difference {
  readonly added: readonly Speed[];
  readonly changed: readonly Speed[];
  readonly ended: readonly Place[];
  readonly unled: readonly Address[];
  readonly led: ReadonlyMap<Address, Place>;
}

/** Which device has which class, for one life of the tunnel interface. */
export interface Classes {
  readonly keys: Iterable<string>;
  /** How many shards the classes stand in. */
  readonly shards: number;
  placeOf(key: string): Place | undefined;
  /**
   * Takes what devices should have and says what that changes; undefined takes a device's limit away. Costs as much as
   * it is given.
   */
  take(wanted: Iterable<readonly [key: string, Wanted | undefined]>): Difference;
}

interface Held extends Wanted {
  readonly number: number;
}

interface Draft extends Difference {
  readonly added: Speed[];
  readonly changed: Speed[];
  readonly ended: Place[];
  readonly unled: Address[];
  readonly led: Map<Address, Place>;
}

/** @throws AgentError for a network in place of an address */
export function checked({ addresses, kbitPerSecond }: Limit): Wanted {
  return { addresses: [...new Set(addresses.map(addressOf))], kbitPerSecond };
}

export function createClasses(): Classes {
  const devices = new Map<string, Held>();
  const owners = new Map<Address, string>();
  const freeNumbers: number[] = [];
  let numbers = 0;

  function takeNumber(): number {
    const number = freeNumbers.pop() ?? numbers++;
    if (number < SHARD_CLASSES_MAX * SHARDS_MAX) return number;
    throw new AgentError(`More than ${SHARD_CLASSES_MAX * SHARDS_MAX} devices cannot be limited.`);
  }

  function end(key: string, { addresses, number }: Held, draft: Draft): number {
    for (const address of addresses) if (owners.get(address) === key) release(address, draft);
    devices.delete(key);
    draft.ended.push(placeOf(number));
    return number;
  }

  function put(key: string, limit: Wanted, draft: Draft): void {
    const held = devices.get(key);
    const { kbitPerSecond } = limit;
    if (held?.kbitPerSecond === kbitPerSecond) return;
    const number = held?.number ?? takeNumber();
    const place = placeOf(number);
    devices.set(key, { ...limit, number });
    if (held) {
      draft.changed.push({ place, kbitPerSecond });
      return;
    }
    draft.added.push({ place, kbitPerSecond });
    for (const address of limit.addresses) {
      // As WireGuard does: the last that is given an address has it.
      if (owners.has(address)) release(address, draft);
      owners.set(address, key);
      draft.led.set(address, place);
    }
  }

  function release(address: Address, { led, unled }: Draft): void {
    owners.delete(address);
    if (!led.delete(address)) unled.push(address);
  }

  return {
    get keys() {
      return devices.keys();
    },
    get shards() {
      return Math.ceil(numbers / SHARD_CLASSES_MAX);
    },
    placeOf(key) {
      const held = devices.get(key);
      return held && placeOf(held.number);
    },
    take(wanted) {
      const given = [...wanted];
      const draft: Draft = { added: [], changed: [], ended: [], unled: [], led: new Map() };
      const ending = given.flatMap(([key, limit]) => {
        const held = devices.get(key);
        return held && !(limit && isSame(held.addresses, limit.addresses)) ? [end(key, held, draft)] : [];
      });
      for (const [key, limit] of given) if (limit) put(key, limit, draft);
      // Their numbers are free only once they are gone.
      freeNumbers.push(...ending);
      return draft;
    },
  };
}

function placeOf(number: number): Place {
  return { shard: Math.floor(number / SHARD_CLASSES_MAX), minor: (number % SHARD_CLASSES_MAX) + 1 };
}

function addressOf(text: string): Address {
  const [address = "", length] = (canonicalAllowedIp(text) ?? "").split("/");
  if (length === (address.includes(":") ? "128" : "32")) return address;
  throw new AgentError("A device to be limited has a network in place of an address.");
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}
