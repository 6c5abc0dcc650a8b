import { createPlayer, faultOf, HISTORIES } from "../e2e/usage-histories.ts";
import { isUsagePossible, openUsageScene } from "../e2e/usage-scene.ts";
import type { BenchRun } from "./figure.ts";

const MIB = 2 ** 20;
/** Of the histories, with `--quick`: without those that kill anything but the agent. */
const QUICK_HISTORIES = 2;

/** Customers use real tunnels while parts of the service end and come back; then the API is held against WireGuard. */
export async function measureBytes({ isQuick, progress, report, leaveOut }: BenchRun): Promise<void> {
  if (!isUsagePossible) return leaveOut("usage.bytes_lost_or_doubled (needs tunnels and a memory disk)");
  const histories = isQuick ? HISTORIES.slice(0, QUICK_HISTORIES) : HISTORIES;
  const scene = await openUsageScene();
  let [faults, stated, carried] = [0, 0, 0];
  try {
    const play = createPlayer(scene);
    for (const history of histories) {
      progress(`  ${history.promise}`);
      const verdicts = await play(history);
      for (const verdict of verdicts) {
        faults += faultOf(verdict);
        stated += Math.max(0, Math.min(verdict.lost, verdict.lostMax));
      }
      carried = verdicts.reduce((sum, verdict) => sum + verdict.carried, 0);
    }
  } finally {
    await scene.close();
  }
  report({
    id: "usage.bytes_lost_or_doubled",
    value: faults,
    unit: "bytes",
    limit: null,
    goal: "=0",
    note: `of ${mebibytes(carried)} MiB that WireGuard counted, in ${histories.length} histories of agent, control plane, link and flush; besides, ${mebibytes(stated)} MiB died with interfaces before any report, as docs/known-issues.md says`,
  });
}

function mebibytes(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}
