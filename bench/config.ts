import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { renderConfig } from "@securewave/wireguard";
import type { Bench, BenchRun, Figure } from "./figure.ts";
import { createCaller, type HttpCaller } from "./http.ts";
import { tunnelOf } from "./qr.ts";
import { CALLERS, type Scene } from "./scene.ts";
import { cpuTimed, inParallel, median, timed } from "./statistics.ts";

const ROUNDS = 5;
const DEVICES = 50;

export const config: Bench = {
  name: "config",
  async measure(run) {
    run.report(await measureRendering(run));
    const scene = await run.scene();
    if (scene === undefined) run.leaveOut("config.per_second");
    else run.report(await measureRoute(scene, run));
  },
};

async function measureRendering({ isQuick }: BenchRun): Promise<Figure> {
  const tunnels = Array.from({ length: isQuick ? 500 : 5000 }, (_, at) => tunnelOf(at));
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    times.push(await cpuTimed(() => tunnels.reduce((sum, tunnel) => sum + renderConfig(tunnel).length, 0)));
  }
  return {
    id: "config.render_per_second",
    value: (tunnels.length * 1000) / median(times),
    unit: "1/s",
    limit: null,
    goal: null,
    note: "the bare renderConfig, no HTTP, each second of one core",
  };
}

/** The route for devices whose keys the server made: it opens the sealed key and writes the `.conf`. */
async function measureRoute(scene: Scene, { isQuick }: BenchRun): Promise<Figure> {
  const requests = isQuick ? 200 : 4000;
  const devices = await Promise.all(Array.from({ length: DEVICES }, () => scene.create()));
  const [first] = devices;
  if (first === undefined) throw new RangeError("no device was made");
  const path = (piece: number) => `/api/vpn/devices/${(devices[piece % DEVICES] ?? first).id}/config`;
  const text = (await scene.service.http.call("GET", path(0), first.customer.token)).body.toString();
  await using bare = await openBareServer(text);
  const times = { route: [] as number[], bare: [] as number[] };
  const timeCalls = (http: HttpCaller) =>
    timed(() =>
      inParallel(CALLERS, requests, (piece) =>
        http.call("GET", path(piece), (devices[piece % DEVICES] ?? first).customer.token),
      ),
    );
  await timeCalls(scene.service.http); // both sides warm
  for (let round = 0; round < ROUNDS; round++) {
    times.route.push(await timeCalls(scene.service.http));
    times.bare.push(await timeCalls(bare.http));
  }
  return {
    id: "config.per_second",
    value: (requests * 1000) / median(times.route),
    unit: "1/s",
    limit: (requests * 1000) / median(times.bare),
    goal: null,
    note: `API route with ${CALLERS} callers; limit: the same text from a bare node:http server`,
  };
}

async function openBareServer(text: string) {
  const worker = new Worker(new URL("./bare-server.ts", import.meta.url), { workerData: text });
  const [port]: unknown[] = await once(worker, "message");
  if (typeof port !== "number") throw new TypeError("the bare server has no port");
  const http = createCaller(port, CALLERS);
  return {
    http,
    async [Symbol.asyncDispose]() {
      http.close();
      await worker.terminate();
    },
  };
}
