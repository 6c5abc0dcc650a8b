import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  freeUdpPort,
  type RunningProcess,
  randomSuffix,
  run,
  runOrThrow,
  startProcess,
  temporaryDir,
} from "@securewave/testing";
import { type PublicKey, parsePublicKey } from "@securewave/wireguard";
import type { Service } from "./service.ts";

const AGENT = fileURLToPath(new URL("../apps/node-agent/main.ts", import.meta.url));

/** The real node agent as a process, on an interface of wireguard-go. */
export interface VpnNode {
  readonly id: string;
  readonly interfaceName: string;
  readonly publicKey: PublicKey;
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly agent: RunningProcess;
  /** Ends the agent; the interface carries on. */
  stopAgent(): Promise<void>;
  /** Takes away what the agent, which must not run, would know of its last state. */
  forgetState(): void;
  /** Starts the agent again; resolves as soon as it runs. */
  startAgent(): Promise<RunningProcess>;
  peers(): Promise<string[]>;
  close(): Promise<void>;
}

/** Joins a node to a service and waits until it takes devices. */
export async function openNode(service: Service): Promise<VpnNode> {
  const dir = temporaryDir("bench-node");
  const interfaceName = `swb${randomSuffix()}`;
  const created = await service.admin.nodes.create({
    body: { name: `bench-${randomSuffix()}`, region: "Lab", capacity: 100_000 },
  });
  const { id } = created.node;
  const endpoint = { host: "127.0.0.1", port: await freeUdpPort() };
  const runtimeDir = join(dir.path, "run");
  const folders = ["--state-dir", join(dir.path, "state"), "--runtime-dir", runtimeDir];
  const joining = ["--control-plane", service.url, "--interface", interfaceName];
  const address = ["--endpoint", `${endpoint.host}:${endpoint.port}`];
  const start = (args: readonly string[], env = {}) =>
    startProcess({ command: process.execPath, args: [AGENT, ...args], env });
  let agent = await start(["up", ...folders, ...joining, ...address], {
    SECUREWAVE_JOIN_TOKEN: created.join.join_token,
  });
  const close = async () => {
    await agent.stop();
    // wireguard-go ends with its interface.
    await run("ip", ["link", "delete", "dev", interfaceName]);
    dir.remove();
  };
  try {
    await agent.waitForLine(/"applied"/);
    const { public_key } = await service.admin.nodes.show({ params: { id } });
    const publicKey = parsePublicKey(public_key ?? "");
    if (publicKey === undefined) throw new Error("the node has joined without a key");
    return {
      id,
      interfaceName,
      publicKey,
      endpoint,
      get agent() {
        return agent;
      },
      stopAgent: async () => void (await agent.stop()),
      forgetState: () => rmSync(join(runtimeDir, `${interfaceName}.json`)),
      async startAgent() {
        agent = await start(["run", ...folders]);
        return agent;
      },
      async peers() {
        const { stdout } = await runOrThrow("wg", ["show", interfaceName, "peers"]);
        return stdout.split("\n").filter(Boolean);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
