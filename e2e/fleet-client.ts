import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  eventually,
  type RunningProcess,
  randomSuffix,
  run,
  runOrThrow,
  startProcess,
  temporaryDir,
} from "@securewave/testing";
import { INTERNET_ADDRESS, type Machine } from "./fleet-network.ts";
import { type Pings, startPings } from "./pings.ts";

const DATAGRAM_BYTES = 1200;
/** Of each packet: UDP in IPv4. */
const HEADER_BYTES = 28;
/** Answers on their way to a former tunnel are heard for so long after another one took over. */
const FORMER_MS = 300;
const IPERF_PORT = 5201;

/** A customer's machine, whose program changes from one config to another as apps on phones do. */
export interface FleetClient {
  /** Brings the config's tunnel up, waits for its handshake, leads all that goes out into it, and lets the former one go. */
  use(configuration: string): Promise<void>;
  /** Through the tunnel. */
  pings(): Promise<Pings>;
  /** In kbit/s, by the end that receives, while twice as much is sent. */
  speed(direction: "down" | "up", kbitPerSecond: number): Promise<number>;
  close(): Promise<void>;
}

export async function openFleetClient({ namespace }: Machine): Promise<FleetClient> {
  let present: string | undefined;
  // While there are two tunnels, answers come by either.
  await runOrThrow("sysctl", ["-q", "-w", "net.ipv4.conf.all.rp_filter=2"], { namespace });

  async function drop(interfaceName: string | undefined): Promise<void> {
    if (interfaceName !== undefined) await run("ip", ["-n", namespace, "link", "del", interfaceName]);
  }

  return {
    async use(configuration) {
      const interfaceName = `wgc${randomSuffix()}`;
      const ip = (...words: string[]) => runOrThrow("ip", ["-n", namespace, ...words, "dev", interfaceName]);
      const { settings, addresses, mtu } = partsOf(configuration);
      await runOrThrow("wireguard-go", [interfaceName], { namespace, env: { LOG_LEVEL: undefined } });
      using dir = temporaryDir("client");
      const path = join(dir.path, "settings");
      await writeFile(path, settings, { mode: 0o600 });
      await runOrThrow("wg", ["setconf", interfaceName, path], { namespace });
      for (const address of addresses) await ip("addr", "add", address);
      await runOrThrow("ip", ["-n", namespace, "link", "set", interfaceName, "mtu", mtu, "up"]);
      await eventually(
        async () => {
          const shown = await runOrThrow("wg", ["show", interfaceName, "latest-handshakes"], { namespace });
          if (!/\t[1-9]\d*$/m.test(shown.stdout)) throw new Error("the tunnel has no handshake");
        },
        { everyMs: 20 },
      );
      await ip("route", "replace", "default");
      if (present !== undefined) await new Promise((resolve) => setTimeout(resolve, FORMER_MS));
      await drop(present);
      present = interfaceName;
    },
    async pings() {
      const pings = await startPings(namespace, INTERNET_ADDRESS);
      await eventually(() => {
        if (pings.lastAnswerAt() === 0) throw new Error("no ping is answered");
      });
      return pings;
    },
    async speed(direction, kbitPerSecond) {
      const sending = ["-u", "-b", `${2 * kbitPerSecond}k`, "-l", `${DATAGRAM_BYTES}`];
      const from = direction === "down" ? ["-R"] : ["--get-server-output"];
      const to = ["-c", INTERNET_ADDRESS, "-p", `${IPERF_PORT}`];
      const { stdout } = await runOrThrow(
        "iperf3",
        [...from, ...to, ...sending, "-t", "3", "-O", "1", "-J"],
        {
          namespace,
          timeoutMs: 30_000,
        },
      );
      const { end, server_output_text = "" } = JSON.parse(stdout);
      // By the end that receives; of what was sent, the sender only hears.
      const [, up] = / ([\d.]+) Kbits\/sec .* receiver/.exec(server_output_text) ?? [];
      const received = end.sum_received;
      const kbitOfPayload = direction === "up" ? Number(up) : (received.bytes * 0.008) / received.seconds;
      return kbitOfPayload * ((DATAGRAM_BYTES + HEADER_BYTES) / DATAGRAM_BYTES);
    },
    async close() {
      await drop(present);
      present = undefined;
    },
  };
}

/** What clients measure their speed with. */
export function serveSpeed(namespace: string): Promise<RunningProcess> {
  const args = ["-s", "-B", INTERNET_ADDRESS, "-p", `${IPERF_PORT}`, "-f", "k", "--forceflush"];
  return startProcess({ command: "iperf3", args, namespace, readyWhen: /listening/ });
}

/** What `wg` takes of a customer's config, and what is `ip`'s. */
function partsOf(configuration: string): { settings: string; addresses: string[]; mtu: string } {
  const isOfSystem = (line: string) => /^(Address|DNS|MTU) *=/.test(line);
  const lines = configuration.split("\n");
  const settingOf = (name: string) =>
    lines
      .find((line) => line.startsWith(`${name} =`))
      ?.split("=")[1]
      ?.trim() ?? "";
  return {
    settings: lines.filter((line) => !isOfSystem(line)).join("\n"),
    addresses: settingOf("Address").split(/, */),
    mtu: settingOf("MTU"),
  };
}
