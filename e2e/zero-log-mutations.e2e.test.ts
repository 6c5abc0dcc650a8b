import { temporaryDir } from "@securewave/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missedOf, tryLeak } from "./zero-log-leaks.ts";
import { PROGRAM_LEAKS } from "./zero-log-program-leaks.ts";
import {
  isZeroLogPossible,
  openZeroLogScene,
  TALKATIVE_SERVICE,
  type ZeroLogScene,
  zeroLogRequirements,
} from "./zero-log-scene.ts";
import { STORE_LEAKS } from "./zero-log-store-leaks.ts";

/**
 * Leaks, switched on one at a time in the scene that has none, each with ghosts of its own: whatever the search misses
 * here, it proves nothing by not finding elsewhere.
 */
describe.skipIf(!isZeroLogPossible)(zeroLogRequirements.title("a leak that is switched on is found"), () => {
  let scene: ZeroLogScene;

  beforeAll(async () => {
    scene = await openZeroLogScene({ env: TALKATIVE_SERVICE });
  });
  afterAll(() => scene?.close());

  test.each([...STORE_LEAKS, ...PROGRAM_LEAKS])("$what", async (leak) => {
    using dir = temporaryDir("leak");
    const report = await tryLeak(scene, leak, dir.path);
    expect(missedOf(leak, report)).toEqual([]);
    for (const { title, controls, hits } of report.surfaces) {
      expect(
        controls.filter(({ isFound }) => !isFound),
        title,
      ).toEqual([]);
      for (const { excerpt } of hits) expect(excerpt).not.toMatch(/198\.1[89]\.\d/);
    }
  });
});
