import { mkdir, rm, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { signalProcess } from "./process-signals.ts";
import { run, runOrThrow } from "./run.ts";

/** Files here stand in for those of /etc inside the namespace: ip-netns(8). */
function configurationDir(namespace: string): string {
  return `/etc/netns/${namespace}`;
}

/** The resolver configuration that programs in the namespace see as /etc/resolv.conf. */
export function resolverPath(namespace: string): string {
  return `${configurationDir(namespace)}/resolv.conf`;
}

/** Makes a network namespace with loopback up, no routing between its interfaces, and no name server. */
export async function createNamespace(namespace: string): Promise<void> {
  await runOrThrow("ip", ["netns", "add", namespace]);
  await mkdir(configurationDir(namespace), { recursive: true });
  await writeFile(resolverPath(namespace), "");
  await runOrThrow("ip", ["link", "set", "lo", "up"], { namespace });
  await setForwarding(namespace, false);
}

/** Turns routing between the interfaces of a namespace on or off, for IPv4 and IPv6. */
export async function setForwarding(namespace: string, isOn: boolean): Promise<void> {
  const value = isOn ? "1" : "0";
  await runOrThrow(
    "sysctl",
    ["-q", "-w", `net.ipv4.ip_forward=${value}`, `net.ipv6.conf.all.forwarding=${value}`],
    { namespace },
  );
}

async function pidsIn(namespace: string): Promise<number[]> {
  const { stdout } = await run("ip", ["netns", "pids", namespace]);
  return stdout.split("\n").filter(Boolean).map(Number);
}

/** How long programs in a namespace have to end by themselves; wireguard-go removes its control socket then. */
const GRACE_MS = 1000;

/** Ends every program in a namespace and removes it with its interfaces, rules and configuration. */
export async function removeNamespace(namespace: string): Promise<void> {
  for (const pid of await pidsIn(namespace)) signalProcess(pid, "SIGTERM");
  const deadline = Date.now() + GRACE_MS;
  while (Date.now() < deadline && (await pidsIn(namespace)).length > 0) await pause(20);
  for (const pid of await pidsIn(namespace)) signalProcess(pid, "SIGKILL");
  await run("ip", ["netns", "del", namespace]);
  await rm(configurationDir(namespace), { recursive: true, force: true });
}
