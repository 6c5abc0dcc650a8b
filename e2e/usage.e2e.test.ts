import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPlayer, faultOf, HISTORIES, type History, type Verdict } from "./usage-histories.ts";
import { isUsagePossible, openUsageScene, type UsageScene, usageRequirements } from "./usage-scene.ts";

describe.skipIf(!isUsagePossible)(usageRequirements.title("bytes through real tunnels"), () => {
  let scene: UsageScene;
  let play: (history: History) => Promise<Verdict[]>;
  beforeAll(async () => {
    scene = await openUsageScene();
    play = createPlayer(scene);
  });
  afterAll(() => scene?.close());

  test.each(HISTORIES)("$promise", async (history) => {
    for (const verdict of await play(history)) {
      expect.soft(faultOf(verdict), JSON.stringify(verdict)).toBe(0);
      expect(verdict.used).toBeGreaterThan(0);
    }
  });

  test("the counters that all of it was held against agree with those of the clients, and with what these sent", async () => {
    for (const { client, node, payload } of await scene.ends()) {
      expect(node.received).toBeLessThanOrEqual(client.sent);
      expect(node.received).toBeGreaterThan(payload.sent);
      expect(client.received).toBeLessThanOrEqual(node.sent);
      expect(client.received).toBeGreaterThan(payload.received);
    }
  });
});
