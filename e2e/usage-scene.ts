import { existsSync, mkdtempSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { REPORT_INTERVAL_SECONDS } from "@securewave/contracts/node-protocol";
import {
  createNetworkLab,
  eventually,
  forwardPort,
  LAB_ADDRESSES,
  labRequirements,
  run,
  runOrThrow,
  temporaryDir,
} from "@securewave/testing";
import { type AgentLink, openAgentLink } from "./agent-link.ts";
import { type ControlPlane, dataDirOf, killControlPlane, startControlPlane } from "./control-plane.ts";
import { openLedgerStore } from "./ledger-store.ts";
import { joinNode } from "./node-agent.ts";
import { register, setUpAdmin } from "./people.ts";
import { openUsageTunnels, type UsageTunnels } from "./usage-tunnels.ts";

const API_PORT = 8000;
/** Where the node finds the control plane: the link's entrance. */
const LINK_PORT = 8001;
/** Where totals outlive the agent. */
const MEMORY_DISK = "/dev/shm";
const REPORT_MS = REPORT_INTERVAL_SECONDS * 1000;
/** Longer than an agent waits before it connects again. */
const COUNTED_WITHIN_MS = 40_000;

/** What there is to say of one customer at a moment, in bytes. */
export interface Account {
  readonly email: string;
  /** As the API tells the customer. */
  readonly used: number;
  /** As WireGuard on the node counted it, over all lives of its counters. */
  readonly carried: number;
}

/** The whole service with a node and three tunnels of two customers, all of which can be broken. */
export interface UsageScene extends UsageTunnels {
  readonly link: AgentLink;
  startPlane(): Promise<void>;
  stopPlane(): Promise<void>;
  killPlane(): Promise<void>;
  /** @param aheadMs how far its clock is to be ahead */
  startAgent(aheadMs?: number): Promise<void>;
  /** Asks the agent to end; the interface stays. */
  stopAgent(): Promise<void>;
  killAgent(): Promise<void>;
  /** Ends wireguard-go; a running agent makes the interface anew. */
  killInterface(): Promise<void>;
  /** Empties the memory disk, as a machine that starts anew does. */
  emptyMemoryDisk(): Promise<void>;
  /** Waits until the agent is connected. */
  connected(): Promise<void>;
  /** Has the ledger written some moments from now. */
  askForFlush(): Promise<void>;
  /** Has the ledger written, and waits until it is. */
  flush(): Promise<void>;
  /** All customers at this moment. */
  accounts(): Promise<Account[]>;
  /**
   * Waits, with tunnels at rest, until the API says what WireGuard counted, less what is known to be lost.
   *
   * @returns the accounts as they were last, also when the time was over
   */
  counted(lost?: (email: string) => number): Promise<Account[]>;
  /** The accounts when all that will be counted is. */
  atRest(): Promise<Account[]>;
}

export const usageRequirements = labRequirements();
export const isUsagePossible = usageRequirements.ok && existsSync(MEMORY_DISK);

export async function openUsageScene(): Promise<UsageScene> {
  const closing: (() => unknown)[] = [];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    return await open(closing, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(closing: (() => unknown)[], close: () => Promise<void>): Promise<UsageScene> {
  const dir = temporaryDir("usage");
  closing.push(() => dir.remove());
  const lab = await createNetworkLab();
  closing.push(() => lab.destroy());
  const way = await forwardPort(lab.control, { host: "127.0.0.1", port: API_PORT });
  closing.push(() => way.close());
  const entrance = { address: LAB_ADDRESSES.control.v4, port: LINK_PORT };
  const link = await openAgentLink(lab.control, entrance, way);
  closing.push(() => link.close());

  const start = () =>
    startControlPlane({
      dir: dir.path,
      namespace: lab.control,
      port: API_PORT,
      hasNoLimits: true,
      env: { PUBLIC_URL: `http://${entrance.address}:${LINK_PORT}` },
    });
  let plane: ControlPlane = await start();
  closing.push(() => plane.process.stop(15_000));
  const baseUrl = `http://127.0.0.1:${way.port}`;
  const admin = await setUpAdmin(baseUrl, plane.setupLink);
  const node = await joinNode({
    admin,
    namespace: lab.node,
    registered: "EU-Lab-1",
    endpoint: LAB_ADDRESSES.nodeForCustomer.v4,
    runtimeDir: mkdtempSync(join(MEMORY_DISK, "securewave-")),
    env: agentEnvironment(),
  });
  closing.push(() => node[Symbol.asyncDispose]());

  const outbox = join(dataDirOf(dir.path), "outbox");
  const ada = await register(baseUrl, "ada@example.org", outbox);
  const bob = await register(baseUrl, "bob@example.org", outbox);
  const tunnels = await openUsageTunnels({ lab, ada, bob, interfaceName: node.interfaceName });
  closing.push(tunnels.close);

  async function accounts(): Promise<Account[]> {
    const carried = await tunnels.carried();
    return Promise.all(
      [ada, bob].map(async ({ email, client }) => {
        const { used_bytes: used } = await client.usage.own();
        return { email, used, carried: carried(email) };
      }),
    );
  }

  return {
    ...tunnels,
    link,
    async startPlane() {
      plane = await start();
    },
    async stopPlane() {
      await plane.process.stop(15_000);
    },
    killPlane: () => killControlPlane(plane),
    startAgent: (aheadMs) => node.startAgent(agentEnvironment(aheadMs)),
    async stopAgent() {
      node.agent().kill("SIGTERM");
      await node.agent().exited;
    },
    killAgent: () => node.killAgent(),
    killInterface: () => killInterface(lab.node, node.interfaceName),
    async emptyMemoryDisk() {
      for (const name of await readdir(node.runtimeDir)) {
        await rm(join(node.runtimeDir, name), { recursive: true });
      }
    },
    connected: () =>
      eventually(
        async () => {
          const { state } = await admin.client.nodes.show({ params: { id: node.node.id } });
          if (state !== "healthy") throw new Error(`the node is ${state}`);
        },
        { timeoutMs: COUNTED_WITHIN_MS, everyMs: 100 },
      ),
    async askForFlush() {
      await using store = await openLedgerStore(dataDirOf(dir.path));
      await store.askForFlush();
    },
    async flush() {
      await using store = await openLedgerStore(dataDirOf(dir.path));
      const before = await store.generation();
      await store.askForFlush();
      await eventually(
        async () => {
          if ((await store.generation()) === before) throw new Error("the ledger is as it was");
        },
        { timeoutMs: 60_000, everyMs: 100 },
      );
    },
    accounts,
    async counted(lost = () => 0) {
      let last = await accounts();
      const isCounted = ({ email, used, carried }: Account) => used === carried - lost(email);
      await eventually(
        async () => {
          const before = last;
          last = await accounts();
          const isAtRest = last.every(({ carried }, index) => carried === before[index]?.carried);
          if (!isAtRest || !last.every(isCounted)) throw new Error("it is not counted yet");
        },
        { timeoutMs: COUNTED_WITHIN_MS, everyMs: 200 },
      ).catch(() => undefined);
      return last;
    },
    async atRest() {
      for (let before = await accounts(); ; ) {
        await link.reports();
        const after = await accounts();
        if (JSON.stringify(after) === JSON.stringify(before)) return after;
        before = after;
      }
    },
    close,
  };
}

/** An agent here reports ten times as often as elsewhere, so that as much happens to it in a tenth of the time. */
function agentEnvironment(aheadMs = 0): Readonly<Record<string, string>> {
  const script = `
const { now } = Date;
Date.now = () => now() + ${aheadMs};
const set = setInterval;
globalThis.setInterval = (run, ms, ...rest) => set(run, ms === ${REPORT_MS} ? ${REPORT_MS / 10} : ms, ...rest);`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` };
}

async function killInterface(namespace: string, interfaceName: string): Promise<void> {
  await runOrThrow("ip", ["-n", namespace, "link", "del", interfaceName]);
  await eventually(async () => {
    const { code } = await run("wg", ["show", interfaceName, "public-key"], { namespace });
    if (code === 0) throw new Error("the interface is still there");
  });
}
