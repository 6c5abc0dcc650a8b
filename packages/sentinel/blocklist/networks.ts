import { BlockList, isIP } from "node:net";
import { canonicalAllowedIp, formatPool, type Pool, parsePool } from "@securewave/wireguard";

/**
 * Reads an address or a network in CIDR form and writes it in one way; bits below the prefix are ignored:
 * `203.0.113.7/24` is `203.0.113.0/24`.
 */
export function canonicalNetwork(text: string): string | undefined {
  const pool = parseNetwork(text);
  return pool && formatPool(pool);
}

/** Whether an address lies in a network; false where either is none. */
export function isWithin(network: string, address: string): boolean {
  const pool = parseNetwork(network);
  return pool !== undefined && has(listsOf([pool]), address);
}

/** Networks looked up by address, some hundred of them; longer lists belong to `reputation/`. */
export interface Networks<Value> {
  set(id: string, network: string, value: Value): void;
  delete(id: string): void;
  /** The first that holds the address and that the caller takes. */
  find(address: string, isTaken: (value: Value) => boolean): Value | undefined;
}

export function createNetworks<Value>(): Networks<Value> {
  const entries = new Map<string, { pool: Pool; value: Value }>();
  let all = listsOf([]);
  const compile = () => {
    all = listsOf([...entries.values()].map(({ pool }) => pool));
  };
  return {
    set(id, network, value) {
      const pool = parseNetwork(network);
      if (!pool) return;
      entries.set(id, { pool, value });
      compile();
    },
    delete(id) {
      if (entries.delete(id)) compile();
    },
    find(address, isTaken) {
      if (entries.size === 0 || !has(all, address)) return undefined;
      for (const { pool, value } of entries.values()) {
        if (has(listsOf([pool]), address) && isTaken(value)) return value;
      }
      return undefined;
    },
  };
}

function parseNetwork(text: string): Pool | undefined {
  const canonical = canonicalAllowedIp(text);
  return canonical === undefined ? undefined : parsePool(canonical);
}

/** What addresses of each family are compared with; IPv4 may come inside IPv6, so that IPv6 has all. */
interface Lists {
  readonly ipv4: BlockList;
  readonly ipv6: BlockList;
}

function listsOf(pools: readonly Pool[]): Lists {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const pool of pools) {
    const [network = "", prefix] = formatPool(pool).split("/");
    const family = pool.family === 4 ? "ipv4" : "ipv6";
    lists.ipv6.addSubnet(network, Number(prefix), family);
    if (family === "ipv4") lists.ipv4.addSubnet(network, Number(prefix), family);
  }
  return lists;
}

function has(lists: Lists, address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  return family === 4 ? lists.ipv4.check(address, "ipv4") : lists.ipv6.check(address, "ipv6");
}
