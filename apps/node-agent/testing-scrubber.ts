import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  connectWireGuard,
  createNetworkLab,
  LAB_ADDRESSES,
  type NetworkLab,
  type RunningProcess,
  randomSuffix,
  run,
  runOrThrow,
  startProcess,
  temporaryDir,
  type WireGuardClient,
} from "@securewave/testing";
import { generatePresharedKey, renderConfig } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import type { ScrubberLimits } from "./scrubber.ts";

export interface ScrubberScene {
  readonly lab: NetworkLab;
  readonly interfaceName: string;
  /** Brings the customer's tunnel up, with a preshared key. Packets go through it only when something is sent. */
  connect(): Promise<WireGuardClient>;
  /**
   * Drops what WireGuard sends to the customer, so that no handshake is completed, or all that goes between them, as when
   * the customer's machine is gone.
   */
  drop(what: "answers" | "all" | "nothing"): Promise<void>;
  /** Resolves when a tick after this call reads so. */
  waitFor(what: (state: PeerState) => boolean, timeoutMs?: number): Promise<PeerState>;
  /** Ends the agent without a word and starts one that wants another device, with this address, in place of the customer's. */
  restartFor(address: string): Promise<void>;
  /** The node's connection tracking, as the kernel prints it. */
  flows(): Promise<string>;
  close(): Promise<void>;
}

/** What WireGuard on the node has of the customer. */
export interface PeerState {
  readonly atSeconds: number;
  readonly hasEndpoint: boolean;
  readonly hasHandshake: boolean;
  readonly bytes: number;
}

const SCRIPT = fileURLToPath(new URL("testing-scrubber-process.ts", import.meta.url));

export const CUSTOMER_TUNNEL = { v4: "10.8.0.2", v6: "fd5e:c0de::2" };

/** A node that forgets, with one customer, in a network lab. */
export async function openScrubberScene(
  kind: "userspace" | "spawned",
  limits: Partial<ScrubberLimits>,
  tickMs?: number,
): Promise<ScrubberScene> {
  const dir = temporaryDir("scrubber");
  const lab = await createNetworkLab();
  const interfaceName = `sw${randomSuffix()}`;
  const [server, customer] = [generateKeyPair(), generateKeyPair()];
  const presharedKey = generatePresharedKey();
  const addresses = [`${CUSTOMER_TUNNEL.v4}/32`, `${CUSTOMER_TUNNEL.v6}/128`];
  const setup = {
    kind,
    interfaceName,
    privateKey: server.privateKey,
    runtimeDir: join(dir.path, "run"),
    peer: { public_key: customer.publicKey, preshared_key: presharedKey, allowed_ips: addresses },
    limits,
    tickMs,
  };
  const start = (peer = setup.peer) =>
    startProcess({
      command: process.execPath,
      args: [SCRIPT, JSON.stringify({ ...setup, peer })],
      namespace: lab.node,
      readyWhen: /^ready$/,
    });
  let node: RunningProcess | undefined;
  const close = async () => {
    await node?.stop();
    await run("ip", ["link", "delete", "dev", interfaceName], { namespace: lab.node });
    await lab.destroy();
    dir.remove();
  };
  try {
    node = await start();
  } catch (error) {
    await close();
    throw error;
  }
  let running = node;
  return {
    lab,
    interfaceName,
    close,
    connect: () =>
      connectWireGuard(
        lab.customer,
        renderConfig({
          privateKey: customer.privateKey,
          addresses,
          peer: {
            publicKey: server.publicKey,
            presharedKey,
            allowedIps: ["0.0.0.0/0", "::/0"],
            endpoint: { host: LAB_ADDRESSES.nodeForCustomer.v4, port: 51820 },
          },
        }),
      ),
    async drop(what) {
      const chain = (hook: string, match: string) =>
        `add chain inet lost ${hook} { type filter hook ${hook} priority raw; }\nadd rule inet lost ${hook} ${match} drop\n`;
      const rules = [
        "add table inet lost\ndelete table inet lost\nadd table inet lost\n",
        what === "nothing" ? "" : chain("input", "udp sport 51820"),
        what === "all" ? chain("output", "udp dport 51820") : "",
      ];
      await runOrThrow("nft", ["-f", "-"], { namespace: lab.customer, input: rules.join("") });
    },
    async waitFor(what, timeoutMs = 60_000) {
      const seen = running
        .lines()
        .filter((line) => line.startsWith("{"))
        .at(-1);
      const since = seen === undefined ? 0 : stateOf(seen).atSeconds;
      const line = await running.waitForLine(
        (text) => text.startsWith("{") && stateOf(text).atSeconds > since && what(stateOf(text)),
        timeoutMs,
      );
      return stateOf(line);
    },
    async restartFor(address) {
      running.kill("SIGKILL");
      await running.exited;
      const { publicKey } = generateKeyPair();
      running = await start({ public_key: publicKey, preshared_key: presharedKey, allowed_ips: [address] });
      node = running;
    },
    flows: async () => (await runOrThrow("cat", ["/proc/net/nf_conntrack"], { namespace: lab.node })).stdout,
  };
}

function stateOf(line: string): PeerState {
  return JSON.parse(line);
}
