import type { ClosedBatch } from "@securewave/live";
import type { UnsettledUsage } from "./before-month.ts";

const MIB = 2 ** 20;

/** A live plane of one node, in which a test says who used what. */
export interface FakeUsage extends UnsettledUsage {
  use(accountId: string, bytes: number): void;
  /** How many batches were closed, settled and abandoned. */
  readonly batches: { closed: number; settled: number; abandoned: number };
  /** Runs while a batch is being closed. */
  whileClosing: (() => Promise<unknown>) | undefined;
}

export const NODE = "node_1";

export function createFakeUsage(): FakeUsage {
  const unsettled = new Map<string, number>();
  const batches = { closed: 0, settled: 0, abandoned: 0 };
  const fake: FakeUsage = {
    batches,
    whileClosing: undefined,
    use: (accountId, bytes) => void unsettled.set(accountId, (unsettled.get(accountId) ?? 0) + bytes),
    unsettledOf: (accountId) => unsettled.get(accountId) ?? 0,
    forEachUnsettled: (each) => {
      for (const [accountId, bytes] of unsettled) each(accountId, bytes);
    },
    async closeBatch(): Promise<ClosedBatch> {
      await fake.whileClosing?.();
      batches.closed++;
      const batch = batches.closed;
      const frozen = [...unsettled].map(([id, bytes]) => [id, Math.floor(bytes / MIB) * MIB] as const);
      return {
        forEachSettled: (each) => {
          for (const [accountId, bytes] of frozen) each(accountId, bytes);
        },
        marks: [{ nodeId: NODE, incarnation: "f00d", batch }],
        settled() {
          batches.settled++;
          for (const [accountId, bytes] of frozen) fake.use(accountId, -bytes);
        },
        abandon: () => void batches.abandoned++,
      };
    },
  };
  return fake;
}
