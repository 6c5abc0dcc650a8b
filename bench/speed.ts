import {
  connectWireGuard,
  createNetwork,
  type Network,
  requirements,
  runOrThrow,
  run as runProgram,
  startProcess,
} from "@securewave/testing";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { createShaper, type Limit, type Shaper } from "../apps/node-agent/shaping.ts";
import type { Bench, BenchRun } from "./figure.ts";
import { cpuMs } from "./process-cost.ts";
import { sceneRequirements } from "./scene.ts";
import { median, timed } from "./statistics.ts";

const FEW = 20;
const MANY = 20_000;
const SPEEDS_MBIT = [1, 10, 50, 200];
const DATAGRAM_BYTES = 1344;
/** Of IPv4 and UDP: limits count them. */
const HEADER_BYTES = 28;
/** Shorter than these, what may go at once after a pause shows. */
const ACCURACY_SECONDS = 4;
const QUICK_ACCURACY_SECONDS = 1;
/** The middle one of so many counts: in some, others have the processor. */
const TURNS = 3;
/** So much more than a limit is sent, and has to arrive where there is none, or the machine would be what is measured. */
const SENT_SHARE = 1.25;
const CARRIED_SHARE_MIN = 1.15;
const CHANGES = 20;
const STREAM_ROUNDS = 7;
const STREAM_SECONDS = 1;
/** What no stream here reaches. */
const UNREACHED_KBIT = 40_000_000;
const DEVICE = { key: "the one that is measured", address: "10.64.0.2" };
const NODE_ADDRESS = "10.64.0.1";

/** A namespace with a node's side of a link to the device, and a shaper on it. */
interface Place {
  readonly namespace: string;
  /** The node's address and the device's on the link. */
  readonly ends: readonly [node: string, device: string];
  readonly shaper: Shaper;
}

/** Speed limits of twenty thousand devices: how exact they are, and what they cost. */
export const speed: Bench = {
  name: "speed",
  async measure(run) {
    const tunnels = sceneRequirements();
    const programs = requirements({ root: true, tools: ["tc", "nft", "iperf3"] });
    if (!tunnels.ok || !programs.ok) return run.leaveOut("speed.* (all need tunnels, tc, nft and iperf3)");
    const network = createNetwork();
    try {
      const device = await network.addNamespace("device");
      const tunnel = await openTunnel(network, device);
      await measureSetting(tunnel, run);
      await measureAccuracy(tunnel, device, run);
      await tunnel.shaper.remove();
      const few = await openLink(network, device, "few", 1);
      const many = await openLink(network, device, "many", 2);
      await few.shaper.apply(limitsOf(FEW, few));
      await many.shaper.apply(limitsOf(run.isQuick ? FEW * 10 : MANY, many));
      await measureChanges(few, many, run);
      await measureStreams(few, many, device, run);
      await Promise.all([few.shaper.remove(), many.shaper.remove()]);
    } finally {
      await network.destroy();
    }
  },
};

async function measureSetting({ shaper, ...place }: Place, { isQuick, progress, report }: BenchRun) {
  const count = isQuick ? FEW * 10 : MANY;
  const limits = limitsOf(count, { shaper, ...place });
  progress(`  setting ${count} limits`);
  const before = cpuMs([process.pid]);
  const ms = await timed(() => shaper.apply(limits));
  const cpu = cpuMs([process.pid]) - before;
  const note = `${count} devices, IPv4 and IPv6, both directions, from nothing`;
  report(
    { id: "speed.set_s", value: ms / 1000, unit: "s", limit: null, goal: null, note },
    { id: "speed.set_cpu_s", value: cpu / 1000, unit: "CPU s", limit: null, goal: "<=30", note },
  );
}

async function measureAccuracy(place: Place, device: string, { isQuick, progress, report }: BenchRun) {
  const errors: number[] = [];
  for (const end of [device, place.namespace]) await serve(end);
  for (const mbit of SPEEDS_MBIT) {
    for (const direction of ["down", "up"] as const) {
      const [carried, measured] = await countInTurns(place, device, direction, mbit, isQuick);
      const error = Math.abs(measured / mbit - 1);
      const isJudged = carried >= mbit * CARRIED_SHARE_MIN;
      if (isJudged) errors.push(error);
      progress(
        `  ${direction} at ${mbit} Mbit/s: ${measured.toFixed(3)} (${(error * 100).toFixed(2)} %), without a limit ${carried.toFixed(1)}`,
      );
      const doubt = isJudged ? "" : `; not judged: the machine carries ${carried.toFixed(0)} without a limit`;
      report({
        id: `speed.${direction}_${mbit}_mbit`,
        value: measured,
        unit: "Mbit/s",
        limit: mbit,
        goal: null,
        note: `UDP through WireGuard, the middle one of some turns, with IP headers, by the end that receives; limit: what is promised${doubt}`,
      });
    }
  }
  if (errors.length === 0) return;
  report({
    id: "speed.worst_error",
    value: Math.max(...errors),
    unit: "share",
    limit: null,
    goal: "<=0.05",
    note: `of the ${errors.length} speeds above that the machine carries`,
  });
}

/** Mbit/s without a limit and with it, when more is sent than is promised. */
async function countInTurns(
  place: Place,
  device: string,
  direction: "down" | "up",
  mbit: number,
  isQuick: boolean,
): Promise<readonly [carried: number, measured: number]> {
  const count = async (kbitPerSecond: number) => {
    await place.shaper.change(new Map([[DEVICE.key, limitOf(place, kbitPerSecond)]]));
    const share = (DATAGRAM_BYTES + HEADER_BYTES) / DATAGRAM_BYTES;
    const seconds = isQuick ? QUICK_ACCURACY_SECONDS : ACCURACY_SECONDS;
    const sent = await stream(place, device, direction, `${mbit * SENT_SHARE}M`, seconds);
    return (sent.bytes * share * 8) / sent.seconds / 1e6;
  };
  const counts = { carried: [] as number[], measured: [] as number[] };
  for (let turn = 0; turn < (isQuick ? 1 : TURNS); turn++) {
    counts.carried.push(await count(UNREACHED_KBIT));
    counts.measured.push(await count(mbit * 1000));
  }
  return [median(counts.carried), median(counts.measured)];
}

/** Both in turns, so that what else the machine does falls on both. */
async function measureChanges(few: Place, many: Place, { isQuick, report }: BenchRun) {
  const rounds = isQuick ? 3 : CHANGES;
  const cost = { few: { ms: [] as number[], cpu: 0 }, many: { ms: [] as number[], cpu: 0 } };
  for (let round = 0; round < rounds; round++) {
    for (const [name, place] of [["few", few] as const, ["many", many] as const]) {
      const before = cpuMs([process.pid]);
      const change = (limit: Limit) => place.shaper.change(new Map([[`device ${round}`, limit]]));
      cost[name].ms.push(await timed(() => change({ ...otherOf(round), kbitPerSecond: 7000 + round })));
      cost[name].cpu += cpuMs([process.pid]) - before;
    }
  }
  report({
    id: "speed.change_ms",
    value: median(cost.many.ms),
    unit: "ms",
    limit: median(cost.few.ms),
    goal: null,
    note: `another speed for one of ${MANY} devices; limit: for one of ${FEW}`,
  });
  report({
    id: "speed.change_ratio",
    value: cost.many.cpu / cost.few.cpu,
    unit: "of the CPU time",
    limit: null,
    goal: "<=1.5",
    note: `the same: ${(cost.many.cpu / rounds).toFixed(1)} ms beside ${(cost.few.cpu / rounds).toFixed(1)} ms of CPU time a change`,
  });
}

/** Over links that do not encrypt, which would hide what finding a packet's queue costs. */
async function measureStreams(few: Place, many: Place, device: string, run: BenchRun) {
  for (const place of [few, many]) await serve(place.namespace);
  const rates = { few: [] as number[], many: [] as number[] };
  for (let round = 0; round < (run.isQuick ? 1 : STREAM_ROUNDS); round++) {
    for (const [name, place] of [["few", few] as const, ["many", many] as const]) {
      const { packets, seconds } = await stream(place, device, "down", "0", STREAM_SECONDS);
      rates[name].push(packets / seconds);
    }
    run.progress(`  packets/s: ${rates.few.at(-1)?.toFixed(0)} beside ${rates.many.at(-1)?.toFixed(0)}`);
  }
  run.report({
    id: "speed.packet_ratio",
    value: median(rates.few.map((rate, round) => rate / (rates.many[round] ?? Number.NaN))),
    unit: "of the time",
    limit: null,
    goal: "<=1.1",
    note: `a packet to one of ${MANY} limited devices beside one of ${FEW}: ${median(rates.many).toFixed(0)} and ${median(rates.few).toFixed(0)} packets/s; the middle one of ${rates.few.length} pairs of turns`,
  });
}

/** Datagrams from one end to the other, counted where they arrive. */
async function stream(
  { namespace, ends: [node, own] }: Place,
  device: string,
  direction: "down" | "up",
  bitrate: string,
  seconds: number,
): Promise<{ bytes: number; packets: number; seconds: number }> {
  const [receiver, sender] = direction === "down" ? [device, node] : [namespace, own];
  const sending = ["-u", "-b", bitrate, "-l", `${DATAGRAM_BYTES}`];
  const args = ["-R", "-c", sender, ...sending, "-t", `${seconds}`, "-O", "1", "-J"];
  const { stdout } = await runOrThrow("iperf3", args, { namespace: receiver });
  const { bytes, seconds: taken, packets, lost_packets } = JSON.parse(stdout).end.sum_received;
  return { bytes, packets: packets - lost_packets, seconds: taken };
}

async function serve(namespace: string): Promise<void> {
  await startProcess({ command: "iperf3", args: ["-s", "--forceflush"], namespace, readyWhen: /listening/ });
}

function limitsOf(count: number, place: Place): Map<string, Limit> {
  const limits = new Map([[DEVICE.key, limitOf(place, UNREACHED_KBIT)]]);
  for (let number = 0; number < count - 1; number++) limits.set(`device ${number}`, otherOf(number));
  return limits;
}

function otherOf(number: number): Limit {
  const addresses = [`10.70.${number >> 8}.${number & 255}`, `fd00::${(number + 16).toString(16)}`];
  return { addresses, kbitPerSecond: 1000 + number };
}

function limitOf({ ends: [, device] }: Place, kbitPerSecond: number): Limit {
  return { addresses: [device], kbitPerSecond };
}

function shaperOf(namespace: string, interfaceName: string): Shaper {
  return createShaper({
    interfaceName,
    run: (program, args, { input } = {}) =>
      runProgram(program, args, { namespace, ...(input !== undefined && { input }) }),
  });
}

/** A node and a device that are joined by WireGuard. */
async function openTunnel(network: Network, device: string): Promise<Place> {
  const namespace = await network.addNamespace("node");
  await network.connect(device, namespace, { v4: ["198.51.0.2/24", "198.51.0.1/24"] });
  const [nodeKeys, deviceKeys] = [generateKeyPair(), generateKeyPair()];
  const { interfaceName } = await connectWireGuard(
    namespace,
    `[Interface]\nPrivateKey = ${nodeKeys.privateKey}\nListenPort = 51820\nMTU = 1420\nAddress = ${NODE_ADDRESS}/24\n[Peer]\nPublicKey = ${deviceKeys.publicKey}\nAllowedIPs = ${DEVICE.address}/32\n`,
  );
  await connectWireGuard(
    device,
    `[Interface]\nPrivateKey = ${deviceKeys.privateKey}\nMTU = 1420\nAddress = ${DEVICE.address}/32\n[Peer]\nPublicKey = ${nodeKeys.publicKey}\nEndpoint = 198.51.0.1:51820\nAllowedIPs = ${NODE_ADDRESS}/32\nPersistentKeepalive = 1\n`,
  );
  return { namespace, ends: [NODE_ADDRESS, DEVICE.address], shaper: shaperOf(namespace, interfaceName) };
}

async function openLink(network: Network, device: string, role: string, net: number): Promise<Place> {
  const namespace = await network.addNamespace(role);
  const ends = [`198.51.${net}.1`, `198.51.${net}.2`] as const;
  await network.connect(device, namespace, { v4: [`${ends[1]}/24`, `${ends[0]}/24`] });
  return { namespace, ends, shaper: shaperOf(namespace, "to-device") };
}
