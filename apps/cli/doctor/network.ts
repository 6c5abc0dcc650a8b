import { join } from "node:path";
import { DAY_MS } from "@securewave/foundation";
import { humanDuration } from "../human.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import type { Machine } from "./machine.ts";
import type { ServiceSettings } from "./settings.ts";

/** Beyond it, log-ins seem to end early or late. */
const CLOCK_SKEW_SECONDS_MAX = 60;

/** The ports that `npm start` takes. */
export async function checkPorts(machine: Machine, settings: ServiceSettings): Promise<Check[]> {
  const { api, metrics, node } = settings;
  const live = await machine.get(`http://127.0.0.1:${api.port}/api/health/live`);
  const isRunning = live?.text.includes('"alive"') === true;
  const metricsAnswer = isRunning ? await machine.get(`http://127.0.0.1:${metrics.port}/metrics`) : undefined;
  return [
    checkTcp("API_PORT", api.port, await machine.tryTcpPort(api.host, api.port), isRunning),
    checkTcp(
      "METRICS_PORT",
      metrics.port,
      await machine.tryTcpPort(metrics.host, metrics.port),
      metricsAnswer?.text.includes("# HELP") === true,
    ),
    await checkUdp(machine, node, isRunning),
  ];
}

type PortState = Awaited<ReturnType<Machine["tryTcpPort"]>>;

function checkTcp(variable: string, port: number, state: PortState, isOurs: boolean): Check {
  const name = `TCP port ${port}`;
  if (state === "free") return ok(name, "free");
  if (state === "denied")
    return fail(name, "this user may not take it", `Set ${variable} to a port above 1023`);
  if (isOurs) return ok(name, "in use by SecureWave");
  return fail(name, "in use by another program", `Stop that program (ss -ltnp shows it), or set ${variable}`);
}

async function checkUdp(machine: Machine, node: ServiceSettings["node"], isRunning: boolean): Promise<Check> {
  const name = `UDP port ${node.port}`;
  const state = await machine.tryUdpPort(node.port);
  if (state === "free") return ok(name, "free");
  const shown = (await machine.run("wg", ["show", "all", "listen-port"]))?.stdout ?? "";
  const holder = shown
    .split("\n")
    .map((line) => line.split("\t"))
    .find(([, port]) => Number(port) === node.port)?.[0];
  if (holder?.includes(node.name)) return ok(name, `in use by SecureWave's interface ${holder}`);
  if (holder === undefined && isRunning) return ok(name, "in use while SecureWave runs here");
  const finding =
    holder === undefined ? "in use by another program" : `in use by the WireGuard interface ${holder}`;
  return warn(
    name,
    finding,
    "Free it (ss -lunp shows programs, wg shows interfaces), or set LOCAL_NODE_PORT",
  );
}

/** The clock against the service's, or without one, against the age of the program. */
export async function checkTime(machine: Machine, nowMs: number, url: string): Promise<Check> {
  const name = "Clock";
  const mend = "Set the clock, for good with NTP: timedatectl set-ntp true";
  const answer = await machine.get(`${url}/api/health/live`);
  const theirsMs = Date.parse(answer?.date ?? "");
  if (Number.isFinite(theirsMs)) {
    const skewSeconds = Math.abs(theirsMs - nowMs) / 1000;
    if (skewSeconds <= CLOCK_SKEW_SECONDS_MAX) return ok(name, "agrees with the service's");
    return warn(name, `${humanDuration(skewSeconds)} away from the service's`, mend);
  }
  const { projectDir } = machine;
  const made =
    projectDir === undefined ? undefined : await machine.stat(join(projectDir, "package-lock.json"));
  if (made !== undefined && nowMs < made.changedMs - DAY_MS)
    return fail(name, "earlier than this program was made", mend);
  return ok(name, new Date(nowMs).toISOString());
}
