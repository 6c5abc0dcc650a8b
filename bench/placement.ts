import {
  chooseServer,
  createFleet,
  type Server,
  score,
  takesDevices,
  type Wish,
} from "@securewave/placement";
import type { Bench } from "./figure.ts";
import { cpuTimed, median } from "./statistics.ts";

const SERVERS = 10_000;
const REGIONS = 60;
const ROUNDS = 9;
/** So many that the thread's clock, which ticks every 4 ms, tells them apart. */
const CHOICES = 400;
const COUNTRIES = ["DE", "US", "JP", "BR", "ZA", "AU", "IN", "NG"];

const IDLE = {
  state: "healthy",
  peers: 0,
  load: undefined,
  coordinates: { latitude: 52.52, longitude: 13.405 },
} as const;

/** One choice among ten thousand servers, as each new device costs it. */
export const placement: Bench = {
  name: "placement",
  async measure({ isQuick, report }) {
    const choices = isQuick ? 10 : CHOICES;
    const servers = Array.from({ length: SERVERS }, (_, at) => serverAt(at));
    const fleet = createFleet(servers);
    const idle = createFleet(servers.map((server) => ({ ...server, ...IDLE })));
    const times = { ours: [] as number[], tied: [] as number[], sort: [] as number[], put: [] as number[] };
    let chosen = 0;
    for (let round = -2; round < (isQuick ? 3 : ROUNDS); round++) {
      const wishes = Array.from({ length: choices }, (_, at) => wishAt(round * choices + at));
      const sorted = wishes.slice(0, 10);
      const ours = await cpuTimed(() => {
        for (const wish of wishes) if (chooseServer(fleet, wish).kind === "chosen") chosen++;
      });
      const tied = await cpuTimed(() => {
        for (const wish of wishes) if (chooseServer(idle, wish).kind === "chosen") chosen++;
      });
      const sort = await cpuTimed(() => {
        for (const wish of sorted) if (plainChoice(servers, wish) !== undefined) chosen++;
      });
      const put = await cpuTimed(() => {
        for (const server of servers) fleet.put(server);
      });
      if (round < 0) continue; // warming up
      times.ours.push((ours * 1000) / wishes.length);
      times.tied.push((tied * 1000) / wishes.length);
      times.sort.push((sort * 1000) / sorted.length);
      times.put.push((put * 1000) / servers.length);
    }
    if (chosen === 0) throw new Error("no server was chosen");
    report(
      {
        id: "placement.us_10k_nodes",
        value: median(times.ours),
        unit: "µs",
        limit: median(times.sort),
        goal: "<=200",
        note: `CPU time of the best of ${SERVERS} servers, each time of another place; limit: scoring and sorting the same list`,
      },
      {
        id: "placement.us_10k_idle_nodes",
        value: median(times.tied),
        unit: "µs",
        limit: median(times.sort),
        goal: null,
        note: "the same where all are idle in one town, so that each is asked for its turn",
      },
      {
        id: "placement.put_us",
        value: median(times.put),
        unit: "µs",
        limit: null,
        goal: null,
        note: "CPU time of taking over what one server reports",
      },
    );
  },
};

function plainChoice(servers: readonly Server[], wish: Wish): Server | undefined {
  return servers
    .filter(takesDevices)
    .map((server) => ({ server, points: score(server, wish) }))
    .sort((a, b) => b.points - a.points)[0]?.server;
}

/** A fleet as it might be: regions around the world, loads of all kinds, one in ten not to be had. */
function serverAt(at: number): Server {
  const region = at % REGIONS;
  const share = (at * 0.618_034) % 1;
  return {
    id: `node_${at.toString(36).padStart(16, "0")}`,
    region: `region-${region}`,
    state: at % 10 === 3 ? "draining" : at % 37 === 5 ? "degraded" : "healthy",
    coordinates: {
      latitude: 60 - ((region * 97) % 100) + share,
      longitude: ((region * 223) % 360) - 180 + share / 2,
    },
    peers: Math.floor(share * 1000),
    capacity: 1000,
    load: (at * 0.414_214) % 1,
    tags: at % 5 === 0 ? ["premium"] : [],
  };
}

function wishAt(at: number): Wish {
  const seed = `device_${at}`;
  const allowedTags = at % 2 === 0 ? [] : ["premium"];
  if (at % 3 === 0) return { seed, allowedTags, country: COUNTRIES[Math.abs(at) % COUNTRIES.length] };
  const coordinates = { latitude: ((at * 31) % 140) / 2, longitude: (at * 77) % 180 };
  return { seed, allowedTags, coordinates };
}
