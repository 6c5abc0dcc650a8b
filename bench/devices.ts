import { generateKeyPair } from "@securewave/wireguard/native-keys";
import type { Bench, BenchRun, Figure } from "./figure.ts";
import { openPlainSql } from "./plain-sql.ts";
import { openRawInterface } from "./raw-wireguard.ts";
import { CALLERS, madeUpPeer, madeUpPeers, openScene, type Scene } from "./scene.ts";
import { inParallel, median, percentile, timed } from "./statistics.ts";

/** Devices that are there already; FIELD's rivals were measured at the same numbers. */
const SIZES = { few: 10, usual: 1000, many: 10_000 };
const QUICK_SIZES = { few: 10, usual: 50, many: 200 };

export const devices: Bench = {
  name: "devices",
  async measure(run) {
    const scene = await run.scene();
    if (scene === undefined) {
      run.leaveOut("devices.* (all need a node)");
      return;
    }
    const sizes = run.isQuick ? QUICK_SIZES : SIZES;
    run.progress(`  growing to ${sizes.usual} devices`);
    await scene.growTo(sizes.usual);
    run.report(...(await measureList(scene, run)));
    run.report(...(await measureLive(scene, run)));
    run.report(...(await measureMissing(scene, run)));
    run.report(await measurePerSecond(scene, run));
    run.report(await measureGrowth(scene, sizes, run));
  },
};

/** The first page of an account that has as many devices as one may have. */
async function measureList(scene: Scene, { isQuick, progress }: BenchRun): Promise<Figure[]> {
  progress("  listing");
  const { http } = scene.service;
  const { token, accountId } = scene.firstCustomer;
  await using sql = await openPlainSql(scene.service);
  const times = { api: [] as number[], sql: [] as number[] };
  let bytes = 0;
  for (let round = 0; round < (isQuick ? 20 : 300); round++) {
    times.api.push(
      await timed(async () => {
        bytes = (await http.call("GET", "/api/vpn/devices?limit=50", token)).body.length;
      }),
    );
    times.sql.push(await timed(() => sql.listDevices(accountId, 50)));
  }
  const limit = median(times.sql);
  return [
    {
      id: "devices.list_1000_ms",
      value: median(times.api),
      unit: "ms",
      limit,
      goal: null,
      note: "a page of 50 of an account with 1,000; limit: the same rows by SQL, as JSON",
    },
    {
      id: "devices.list_page_kb",
      value: bytes / 1024,
      unit: "kB",
      limit: null,
      goal: null,
      note: "size of that page",
    },
  ];
}

/** From the call of the API until the node answers the new device, between spawned `wg set`s. */
async function measureLive(scene: Scene, { isQuick, progress }: BenchRun): Promise<Figure[]> {
  const samples = isQuick ? 5 : 100;
  progress(`  ${samples} devices until live, beside wg set, with ${scene.deviceCount} there`);
  const raw = await openRawInterface();
  try {
    await raw.fill(madeUpPeers(scene.deviceCount));
    const times = { api: [] as number[], raw: [] as number[] };
    for (let sample = -5; sample < samples; sample++) {
      const liveMs = await scene.timeUntilLive();
      const peer = madeUpPeer(scene.deviceCount);
      const setMs = await raw.timeSet(peer);
      await raw.remove(peer);
      if (sample < 0) continue; // warming up
      times.api.push(liveMs);
      times.raw.push(setMs);
    }
    const limit = median(times.raw);
    const p95 = percentile(times.api, 0.95);
    const note = `limit: median of a spawned wg set of ${limit.toFixed(2)} ms`;
    return [
      {
        id: "devices.live_vs_wg_set",
        value: median(times.api) / limit,
        unit: "×",
        limit: 1,
        goal: "<=5",
        note: `median of ${median(times.api).toFixed(2)} ms until live; ${note}`,
      },
      {
        id: "devices.live_p95_vs_wg_set",
        value: p95 / limit,
        unit: "×",
        limit: 1,
        goal: "<=15",
        note: `p95 of ${p95.toFixed(2)} ms until live; ${note}`,
      },
    ];
  } finally {
    await raw.close();
  }
}

/** Watches the node for the devices that were there, while others are created. */
async function measureMissing(scene: Scene, { isQuick, progress }: BenchRun): Promise<Figure[]> {
  progress("  watching the peers that are there while others come");
  const pollsMin = 20;
  const there = await scene.node.peers();
  let polls = 0;
  let pollsMissing = 0;
  let isOver = false;
  const poller = (async () => {
    while (!isOver) {
      const seen = new Set(await scene.node.peers());
      polls++;
      if (!there.every((key) => seen.has(key))) pollsMissing++;
    }
  })();
  let created = 0;
  try {
    // Once more where the node was too quick to be looked at often enough.
    while (polls < pollsMin) {
      await inParallel(CALLERS, isQuick ? 40 : 200, async () => {
        await scene.create({ public_key: generateKeyPair().publicKey });
        created++;
      });
    }
  } finally {
    isOver = true;
    await poller;
  }
  const note = `${CALLERS} callers created ${created} devices beside ${there.length}`;
  return [
    {
      id: "devices.peers_missing",
      value: pollsMissing,
      unit: "polls",
      limit: null,
      goal: "=0",
      note: `polls that saw one of the former missing; ${note}`,
    },
    {
      id: "devices.peers_polls",
      value: polls,
      unit: "polls",
      limit: null,
      goal: `>=${pollsMin}`,
      note: "how often the node was looked at meanwhile",
    },
  ];
}

async function measurePerSecond(scene: Scene, { isQuick, progress }: BenchRun): Promise<Figure> {
  const rounds = isQuick ? 2 : 7;
  const perRound = isQuick ? 40 : 200;
  progress(`  ${rounds} rounds of ${perRound} devices by API and by SQL`);
  await using sql = await openPlainSql(scene.service);
  await sql.prepare(CALLERS);
  const api = () =>
    inParallel(CALLERS, perRound, () => scene.create({ public_key: generateKeyPair().publicKey }));
  const plain = () => inParallel(CALLERS, perRound, (_, caller) => sql.addDevice(caller));
  const times = { api: [] as number[], sql: [] as number[] };
  await plain(); // its connections are new
  for (let round = 0; round < rounds; round++) {
    times.api.push(await timed(api));
    times.sql.push(await timed(plain));
  }
  const perSecond = (values: readonly number[]) => (perRound * 1000) / median(values);
  return {
    id: "devices.per_second_vs_sql",
    value: perSecond(times.api) / perSecond(times.sql),
    unit: "×",
    limit: 1,
    goal: ">=0.33",
    note: `${Math.round(perSecond(times.api))} a second by ${CALLERS} callers, live on the node; limit: ${Math.round(perSecond(times.sql))} a second of the same rows by SQL`,
  };
}

async function measureGrowth(
  scene: Scene,
  sizes: typeof SIZES,
  { isQuick, progress }: BenchRun,
): Promise<Figure> {
  progress(`  growing to ${sizes.many} devices`);
  await scene.growTo(sizes.many);
  const samples = isQuick ? 5 : 60;
  const small = await openScene();
  try {
    await small.growTo(sizes.few);
    progress(`  ${samples} devices each with ${small.deviceCount} and with ${scene.deviceCount} there`);
    const times = { few: [] as number[], many: [] as number[] };
    for (let sample = -5; sample < samples; sample++) {
      const [few, many] = [await small.timeUntilLive(), await scene.timeUntilLive()];
      if (sample < 0) continue; // warming up
      times.few.push(few);
      times.many.push(many);
    }
    const [few, many] = [median(times.few), median(times.many)];
    return {
      id: "devices.create_growth",
      value: many / few,
      unit: "×",
      limit: 1,
      goal: "<=1.3",
      note: `until live on the node: median ${many.toFixed(2)} ms with ${scene.deviceCount} there, ${few.toFixed(2)} ms with ${small.deviceCount}`,
    };
  } finally {
    await small.close();
  }
}
