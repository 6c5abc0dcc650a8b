import type { Database } from "@securewave/database";
import type { Bus } from "../../bus.ts";
import type { NodeRow } from "./node.ts";
import * as store from "./store.ts";

/**
 * Every node that is not removed, in memory. What staff change is read at once, here and in every process that the bus
 * reaches; what changes with devices only, a moment later, and only of the nodes that it concerns.
 */
export interface Directory {
  read(): Promise<ReadonlyMap<string, NodeRow>>;
  /** Hears which nodes were read anew; those that are no more are not in `nodes`. */
  subscribe(changed: (ids: Iterable<string>, nodes: ReadonlyMap<string, NodeRow>) => void): void;
  /** Notes that a node was given a device, before that is read. */
  noteDevice(id: string): void;
}

/** A lost message costs this long at most. */
const ALL_EVERY_MS = 10_000;
const CHANGED_EVERY_MS = 2_000;

export function createDirectory({ db }: Pick<Database, "db">, bus: Bus): Directory {
  const nodes = new Map<string, NodeRow>();
  const subscribers = new Set<Parameters<Directory["subscribe"]>[0]>();
  let touched = new Set<string>();
  let readAllAtMs = Number.NEGATIVE_INFINITY;
  let readTouchedAtMs = Number.NEGATIVE_INFINITY;
  /** One after the other: what was read first must not replace what was read later. */
  let last: Promise<void> = Promise.resolve();

  function tell(ids: Iterable<string>): void {
    for (const changed of subscribers) changed(ids, nodes);
  }

  async function readAll(): Promise<void> {
    const rows = await store.listAllNodes(db);
    const gone = new Set(nodes.keys());
    for (const row of rows) {
      nodes.set(row.id, row);
      gone.delete(row.id);
    }
    for (const id of gone) nodes.delete(id);
    tell([...nodes.keys(), ...gone]);
  }

  async function readSome(ids: ReadonlySet<string>): Promise<void> {
    const rows = await store.listNodesOf(db, [...ids]);
    for (const row of rows) nodes.set(row.id, row);
    tell(ids);
  }

  function enqueue(reading: () => Promise<void>): void {
    last = last.catch(() => undefined).then(reading);
    last.catch(drop);
  }

  function drop(): void {
    readAllAtMs = Number.NEGATIVE_INFINITY;
  }

  function touch(id: string): void {
    touched.add(id);
  }

  bus.subscribe("registry-changed", drop, drop);
  bus.subscribe("node-changed", touch, drop);

  return {
    async read() {
      const nowMs = performance.now();
      if (nowMs - readAllAtMs >= ALL_EVERY_MS) {
        [readAllAtMs, readTouchedAtMs, touched] = [nowMs, nowMs, new Set()];
        enqueue(readAll);
      } else if (touched.size > 0 && nowMs - readTouchedAtMs >= CHANGED_EVERY_MS) {
        const ids = touched;
        [readTouchedAtMs, touched] = [nowMs, new Set()];
        enqueue(() => readSome(ids));
      }
      await last;
      return nodes;
    },
    subscribe(changed) {
      subscribers.add(changed);
    },
    noteDevice(id) {
      const node = nodes.get(id);
      if (!node) return;
      nodes.set(id, { ...node, devices: node.devices + 1 });
      tell([id]);
    },
  };
}
