import type { Database } from "@securewave/database";
import { invariant } from "@securewave/foundation";
import { addressAt, GATEWAY_INDEX, type Pool, usableIndexes } from "@securewave/wireguard";
import { sql } from "kysely";

/** The two pools; one index names an address in each. */
export interface Pools {
  readonly v4: Pool;
  readonly v6: Pool;
}

/** Index 1 is the node's own end of the tunnel. */
const FIRST_INDEX = Number(GATEWAY_INDEX) + 1;

/** A device's tunnel addresses, with the prefix length that means this one address. */
export function addressesAt({ v4, v6 }: Pools, index: number): [string, string] {
  return [`${addressAt(v4, BigInt(index))}/32`, `${addressAt(v6, BigInt(index))}/128`];
}

/** A node's own addresses, with the prefix length of the pool. */
export function gatewayAddresses({ v4, v6 }: Pools): string[] {
  return [v4, v6].map((pool) => `${addressAt(pool, GATEWAY_INDEX)}/${pool.prefixLength}`);
}

/** How many devices the pools have addresses for: all but the last, which is the prober's. */
export function poolSize(pools: Pools): number {
  return proberIndexOf(pools) - FIRST_INDEX;
}

/** From where the service itself tries tunnels: the pools' last addresses. */
export function proberAddresses(pools: Pools): [v4: string, v6: string] {
  return addressesAt(pools, proberIndexOf(pools));
}

/**
 * Makes the stored pool fit the configured networks. It may grow; shrinking it takes no address away but
 * hands out none beyond its end.
 */
export async function openAddressPool({ db }: Database, pools: Pools): Promise<void> {
  const last_index = proberIndexOf(pools) - 1;
  await db
    .insertInto("address_pool")
    .values({ next_index: FIRST_INDEX, last_index })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ last_index }))
    .execute();
}

export async function countAddressesInUse({ db }: Database): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select (select count(address_index) from devices) + (select count(*) from retiring_keys) as count
  `.execute(db);
  return rows[0]?.count ?? 0;
}

/** A device may have it that got it when the pools were smaller, or before there was a prober. */
export async function isProberAddressFree({ db }: Database, pools: Pools): Promise<boolean> {
  const index = proberIndexOf(pools);
  const { rows } = await sql<{ is_used: boolean }>`
    select exists (select from devices where address_index = ${index})
      or exists (select from retiring_keys where address_index = ${index}) as is_used
  `.execute(db);
  return rows[0]?.is_used === false;
}

function proberIndexOf({ v4, v6 }: Pools): number {
  const lasts = [v4, v6].map((pool) => Number(usableIndexes(pool)?.last ?? 0));
  const last = Math.min(...lasts);
  invariant(last > FIRST_INDEX, "the address pools have room for a device and the prober");
  return last;
}
