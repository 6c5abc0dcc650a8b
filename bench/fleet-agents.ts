import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { AgentOrders, FleetMember, FleetNews, FleetOrder, Holding } from "./fleet-orders.ts";

const SCRIPT = fileURLToPath(new URL("fleet-agents-process.ts", import.meta.url));
const PROCESSES = 4;
const NEWS_WITHIN_MS = 180_000;

/** Real agents of many nodes, in a few processes of their own. Times are of the clock that `steadyMs` reads. */
export interface FleetAgents {
  /** Has half of all devices use their tunnels from here on. */
  use(): void;
  /** Connected at the moment, in sync or not. */
  connected(): readonly string[];
  /**
   * When each node was brought to its state, as the agent's answer says: the first of each connection that was opened
   * after this call. Resolves when all were.
   */
  nextSync(): Promise<readonly number[]>;
  /** When a device's key came to its node. */
  arrivalOf(publicKey: string): Promise<number>;
  survey(): Promise<readonly Holding[]>;
  close(): Promise<void>;
}

export function startAgents({ members, ...plane }: AgentOrders): FleetAgents {
  const children: ChildProcess[] = [];
  const connected = new Set<string>();
  const arrivals = new Map<string, number>();
  const awaited = new Map<string, (atMs: number) => void>();
  const surveys: ((holdings: readonly Holding[]) => void)[] = [];
  /** Of the sync that is awaited. */
  let synced = new Map<string, number>();
  let fresh = new Set<string>();
  let onSynced: (() => void) | undefined;

  function hear(news: FleetNews): void {
    switch (news.kind) {
      case "connected":
        connected.add(news.nodeId);
        fresh.add(news.nodeId);
        break;
      case "disconnected":
        connected.delete(news.nodeId);
        break;
      case "applied":
        if (!fresh.delete(news.nodeId)) return;
        synced.set(news.nodeId, news.atMs);
        if (synced.size === members.length) onSynced?.();
        break;
      case "has":
        arrivals.set(news.publicKey, news.atMs);
        awaited.get(news.publicKey)?.(news.atMs);
        break;
      case "survey":
        surveys.shift()?.(news.holdings);
    }
  }

  for (const part of parted(members, PROCESSES)) {
    // With pipes for all three, a child that fails would do so in silence.
    const child = fork(SCRIPT, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    child.on("message", hear);
    children.push(child);
    order(child, { kind: "start", orders: { ...plane, members: part } });
  }

  function order(child: ChildProcess, what: FleetOrder): void {
    child.send(what);
  }

  return {
    use() {
      for (const child of children) order(child, { kind: "use" });
    },
    connected: () => [...connected],
    nextSync() {
      synced = new Map();
      fresh = new Set();
      const all = new Promise<void>((resolve) => {
        onSynced = resolve;
      });
      return within(all, () => `${synced.size} of ${members.length} nodes came back`).then(() => [
        ...synced.values(),
      ]);
    },
    arrivalOf(publicKey) {
      const arrival = new Promise<number>((resolve) => {
        const atMs = arrivals.get(publicKey);
        if (atMs === undefined) awaited.set(publicKey, resolve);
        else resolve(atMs);
      });
      return within(arrival, () => "a change did not reach its node").finally(() =>
        awaited.delete(publicKey),
      );
    },
    async survey() {
      const parts: Promise<readonly Holding[]>[] = [];
      for (const child of children) {
        const { promise, resolve } = Promise.withResolvers<readonly Holding[]>();
        surveys.push(resolve);
        parts.push(promise);
        order(child, { kind: "survey" });
      }
      return (await Promise.all(parts)).flat();
    },
    async close() {
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null) return;
          child.disconnect(); // by which it ends
          await once(child, "exit");
        }),
      );
    },
  };
}

function parted(members: readonly FleetMember[], parts: number): FleetMember[][] {
  const size = Math.ceil(members.length / parts);
  return Array.from({ length: parts }, (_, part) => members.slice(part * size, (part + 1) * size)).filter(
    (some) => some.length > 0,
  );
}

function within<Result>(awaited: Promise<Result>, failure: () => string): Promise<Result> {
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`${failure()} in time`)), NEWS_WITHIN_MS);
    void awaited.finally(() => clearTimeout(timer)).catch(() => undefined);
  });
  return Promise.race([awaited, late]);
}
