import { temporaryDir } from "@securewave/testing";
import { foundOf, missedOf, tryLeak } from "../e2e/zero-log-leaks.ts";
import { PROGRAM_LEAKS } from "../e2e/zero-log-program-leaks.ts";
import type { ZeroLogScene } from "../e2e/zero-log-scene.ts";
import { STORE_LEAKS } from "../e2e/zero-log-store-leaks.ts";
import type { BenchRun } from "./figure.ts";

/** Leaks switched on one at a time in a service with a node; how many of them the search does not find. */
export async function measureLeaks({ progress, report }: BenchRun, scene: ZeroLogScene): Promise<void> {
  const leaks = [...STORE_LEAKS, ...PROGRAM_LEAKS];
  const missed: string[] = [];
  for (const leak of leaks) {
    using dir = temporaryDir("bench-leak");
    const searched = await tryLeak(scene, leak, dir.path);
    const isMissed = missedOf(leak, searched).length > 0;
    if (isMissed) missed.push(leak.what);
    progress(`  ${leak.what} → ${isMissed ? "MISSED" : foundOf(leak, searched).join("; ")}`);
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
