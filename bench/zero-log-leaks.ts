import { temporaryDir } from "@securewave/testing";
import { missedOf, PROGRAM_LEAKS, STORE_LEAKS, tryLeak } from "../e2e/zero-log-leaks.ts";
import { isZeroLogPossible, openZeroLogScene, TALKATIVE_SERVICE } from "../e2e/zero-log-scene.ts";
import type { BenchRun } from "./figure.ts";

/** Leaks switched on one at a time in a service with a node; how many of them the search does not find. */
export async function measureLeaks({ progress, report, leaveOut }: BenchRun): Promise<void> {
  if (!isZeroLogPossible) return leaveOut("zerolog.mutations_missed (needs Debian's PostgreSQL and Redis)");
  const leaks = [...STORE_LEAKS, ...PROGRAM_LEAKS];
  const missed: string[] = [];
  const scene = await openZeroLogScene({ env: TALKATIVE_SERVICE });
  try {
    for (const leak of leaks) {
      progress(`  leak: ${leak.what}`);
      using dir = temporaryDir("bench-leak");
      if (missedOf(leak, await tryLeak(scene, leak, dir.path)).length > 0) missed.push(leak.what);
    }
  } finally {
    await scene.close();
  }
  report({
    id: "zerolog.mutations_missed",
    value: missed.length,
    unit: "leaks",
    limit: null,
    goal: "=0",
    note: `of ${leaks.length} leaks switched on${missed.length > 0 ? `: ${missed.join("; ")}` : ""}`,
  });
}
