import type { Database } from "@securewave/database";
import { expect, test } from "vitest";
import { addFigures } from "./figures.ts";

/** @returns what the gauge of busy connections reads while the pool is as it is said, look by look */
async function busyOf(looks: readonly number[]): Promise<number | undefined> {
  const reads = new Map<string, () => number | Promise<number>>();
  const left = [...looks];
  const stats = () => ({ requests: { busy: left.length > 1 ? left.shift() : left[0], max: 10 } });
  addFigures({
    database: { stats } as unknown as Database,
    telemetry: { gauge: (name, _, read) => reads.set(name, read) },
    publicUrl: "http://localhost",
    dataDir: "/",
    jobsOverdue: async () => 0,
  });
  return reads.get("securewave_database_connections_busy")?.();
}

test("questions that come all at once are no shortage of connections; a pool that stays full is", async () => {
  expect(await busyOf([3])).toBe(3);
  expect(await busyOf([10, 10, 2])).toBe(2);
  expect(await busyOf([10])).toBe(10);
});
