import { AGE_NONE, type ReportFrame } from "@securewave/contracts/node-frames";
import type { NodeChannel } from "./batches.ts";
import type { Usage } from "./usage.ts";

/** A node as a control plane sees it: slots, totals, and a batch when it is asked for one. */
export interface TestNode {
  readonly id: string;
  readonly settledBatches: string[];
  recounts: number;
  /** Begins with a roster of these keys. */
  connect(usage: Usage, keys: readonly string[]): void;
  /** Has one more peer than its roster. */
  add(key: string): void;
  disconnect(): void;
  /** Reports totals by key; `age` of those that are named. */
  report(totals: Readonly<Record<string, readonly [received: number, sent: number]>>, age?: number): void;
  /** A new incarnation, without any total. */
  beginAnew(): void;
}

export function createTestNode(
  id: string,
  ownerOf: (key: string) => string | undefined = ownerOfKey,
): TestNode {
  let usage: Usage | undefined;
  let incarnation = nextIncarnation();
  let number = 0;
  let batch = 0;
  let keys: readonly string[] = [];
  let received = new Map<string, number>();
  let sent = new Map<string, number>();
  let settledReceived = new Map<string, number>();
  let settledSent = new Map<string, number>();
  let frozen: { received: Map<string, number>; sent: Map<string, number> } | undefined;
  let isAnswering = true;

  const columnOf = (by: ReadonlyMap<string, number>) => Float64Array.from(keys, (key) => by.get(key) ?? 0);

  function sendRoster(): void {
    const settled = { received: columnOf(settledReceived), sent: columnOf(settledSent) };
    usage?.takeRoster(id, { incarnation, number: ++number, batch, peers: keys, settled }, ownerOf);
  }

  const channel: NodeChannel = {
    close(wanted) {
      frozen ??= { received: new Map(received), sent: new Map(sent) };
      const totals = { received: columnOf(frozen.received), sent: columnOf(frozen.sent) };
      if (isAnswering) usage?.takeBatch(id, { kind: "batch", roster: number, batch: wanted, ...totals });
    },
    settled(ofIncarnation, settledBatch) {
      node.settledBatches.push(`${settledBatch}`);
      if (ofIncarnation !== incarnation || settledBatch <= batch || !frozen) return;
      batch = settledBatch;
      for (const key of keys) {
        for (const [settled, totals] of [
          [settledReceived, frozen.received],
          [settledSent, frozen.sent],
        ] as const) {
          const before = settled.get(key) ?? 0;
          const more = (totals.get(key) ?? 0) - before;
          settled.set(key, before + Math.floor(more / 2 ** 20) * 2 ** 20);
        }
      }
      frozen = undefined;
      sendRoster();
    },
    recount() {
      node.recounts++;
      node.beginAnew();
      sendRoster();
    },
  };

  const node: TestNode = {
    id,
    settledBatches: [],
    recounts: 0,
    connect(to, slots) {
      usage = to;
      keys = slots;
      isAnswering = true;
      usage.connect(id, channel);
      sendRoster();
    },
    add(key) {
      keys = [...keys, key];
      usage?.takeSlots(id, { number: ++number, peers: [key] }, ownerOf);
    },
    disconnect() {
      isAnswering = false;
      usage?.disconnect(id, channel);
    },
    report(totals, age = 5) {
      for (const [key, [receivedBytes, sentBytes]] of Object.entries(totals)) {
        received.set(key, receivedBytes);
        sent.set(key, sentBytes);
      }
      const frame: ReportFrame = {
        kind: "report",
        roster: number,
        sequence: 1,
        received: columnOf(received),
        sent: columnOf(sent),
        ages: Uint8Array.from(keys, (key) => (key in totals ? age : AGE_NONE)),
      };
      usage?.takeReport(id, frame);
    },
    beginAnew() {
      incarnation = nextIncarnation();
      batch = 0;
      received = new Map();
      sent = new Map();
      settledReceived = new Map();
      settledSent = new Map();
      frozen = undefined;
    },
  };
  return node;
}

let incarnations = 0;
function nextIncarnation(): string {
  return String(++incarnations).padStart(22, "A");
}

/** The key `a1` is a device of the account `a`. */
export function ownerOfKey(key: string): string | undefined {
  return key.slice(0, 1);
}
