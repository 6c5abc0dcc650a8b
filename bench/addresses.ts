import { randomInt } from "node:crypto";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { type DevicesService, openDevicesService } from "./devices-service.ts";
import type { Bench, BenchRun } from "./figure.ts";
import { inParallel, median, timed } from "./statistics.ts";

const CALLERS = 16;
const ALLOCATIONS = 100_000;
/** The share of allocations after which the caller gives one of its own back, chosen at random. */
const RELEASE_PERCENT = 36;
/** Usable addresses of a /16: without network, broadcast and the node's own. */
const POOL_ADDRESSES = 65_533;
const FREE_SHARE = 0.01;

export const addresses: Bench = {
  name: "addresses",
  async measure(run) {
    await measureSameTwice(run);
    await measureFullPool(run);
  },
};

async function measureSameTwice({ isQuick, progress, report }: BenchRun): Promise<void> {
  const allocations = isQuick ? 2000 : ALLOCATIONS;
  progress(`  ${allocations} allocations by ${CALLERS} callers`);
  // A node each, since a caller holds its node until the commit: on one node they would come to the pool one by one.
  const service = await openDevicesService(CALLERS);
  try {
    const accounts = await Promise.all(Array.from({ length: CALLERS }, () => service.addAccount()));
    const held = new Set<string>();
    const own: { id: string; address: string }[][] = accounts.map(() => []);
    let twice = 0;
    let releases = 0;
    const elapsedMs = await timed(() =>
      inParallel(CALLERS, allocations, async (piece, caller) => {
        const [account = "", mine = []] = [accounts[caller], own[caller]];
        const device = await service.devices.create(account, {
          name: `device ${piece}`,
          public_key: generateKeyPair().publicKey,
          server_id: service.nodeIds[caller] ?? "",
        });
        const address = device.tunnel?.addresses[0] ?? "";
        if (held.has(address)) twice++;
        held.add(address);
        mine.push({ id: device.id, address });
        if ((piece + 1) % 10_000 === 0) progress(`    ${piece + 1}`);
        if (randomInt(100) >= RELEASE_PERCENT) return;
        const [given] = mine.splice(randomInt(mine.length), 1);
        if (given === undefined) return;
        releases++;
        held.delete(given.address); // before the release: from its commit on others may have it
        await service.devices.revoke(account, given.id);
      }),
    );
    const note = `${allocations} allocations by ${CALLERS} callers, ${releases} releases, through the devices service`;
    report(
      {
        id: "addresses.same_twice",
        value: twice,
        unit: "addresses",
        limit: null,
        goal: "=0",
        note: `handed out while held; ${note}`,
      },
      {
        id: "addresses.changes_per_second",
        value: ((allocations + releases) * 1000) / elapsedMs,
        unit: "1/s",
        limit: null,
        goal: null,
        note: "of those allocations and releases together",
      },
    );
  } finally {
    await service.close();
  }
}

/** One allocation after the other, on two stores in turn; each address is given back, which is not timed. */
async function measureFullPool({ isQuick, progress, report }: BenchRun): Promise<void> {
  const samples = isQuick ? 10 : 300;
  progress(`  ${samples} allocations each from a full and from an empty pool of ${POOL_ADDRESSES}`);
  const [empty, full] = [await openDevicesService(), await openDevicesService()];
  try {
    const [emptyOwner, fullOwner] = [await empty.addAccount(), await full.addAccount()];
    await fillPool(full, fullOwner);
    const times = { empty: [] as number[], full: [] as number[] };
    for (let sample = -20; sample < samples; sample++) {
      const [emptyMs, fullMs] = [
        await timeAllocation(empty, emptyOwner, sample),
        await timeAllocation(full, fullOwner, sample),
      ];
      if (sample < 0) continue; // warming up
      times.empty.push(emptyMs);
      times.full.push(fullMs);
    }
    const [emptyMs, fullMs] = [median(times.empty), median(times.full)];
    report({
      id: "addresses.full_pool_growth",
      value: fullMs / emptyMs,
      unit: "×",
      limit: 1,
      goal: "<=1.5",
      note: `a device's row, peer and address: median ${fullMs.toFixed(2)} ms at 99 %, all free ones given back before; ${emptyMs.toFixed(2)} ms in an empty pool`,
    });
  } finally {
    await Promise.all([empty.close(), full.close()]);
  }
}

async function timeAllocation(service: DevicesService, account: string, sample: number): Promise<number> {
  const input = { name: `sample ${sample}`, public_key: generateKeyPair().publicKey };
  const startMs = performance.now();
  const device = await service.devices.create(account, input);
  const elapsedMs = performance.now() - startMs;
  await service.devices.remove(account, device.id);
  return elapsedMs;
}

/** Uses the whole pool up and gives a hundredth of it back, in random order. */
async function fillPool({ database, nodeIds }: DevicesService, accountId: string): Promise<void> {
  await database.pool.query(
    `insert into devices (id, account_id, name, type, state, public_key, key_origin, preshared_key_master, address_index, node_id, created_on)
     select 'device_' || i, $1, 'device ' || i, 'phone', 'active', 'key ' || i, 'customer', 1, i, $2, '2026-01-01'
     from generate_series(2, $3::integer + 1) i`,
    [accountId, nodeIds[0], POOL_ADDRESSES],
  );
  await database.pool.query(
    `insert into peers (node_id, public_key, device_id, revision)
     select node_id, public_key, id, address_index from devices`,
  );
  const freed = "select id from devices order by md5(id) limit $1";
  const count = Math.round(POOL_ADDRESSES * FREE_SHARE);
  await database.pool.query(
    `insert into free_addresses (address_index) select address_index from devices where id in (${freed}) order by md5(id)`,
    [count],
  );
  await database.pool.query(`delete from peers where device_id in (${freed})`, [count]);
  await database.pool.query(`delete from devices where id in (${freed})`, [count]);
  await database.pool.query("update address_pool set next_index = last_index + 1");
  await database.pool.query("update nodes set devices = $1::integer, revision = $1::integer + 1", [
    POOL_ADDRESSES,
  ]);
  await database.pool.query("update accounts set devices_active = $1 where id = $2", [
    POOL_ADDRESSES - count,
    accountId,
  ]);
  await database.pool.query("analyze");
}
