import { createManualClock } from "@securewave/foundation";
import { expect, test } from "vitest";
import type { Block } from "./block.ts";
import { holdBlocks } from "./held-blocks.ts";

test("of two blocks of one origin the shorter holds it when the longer is taken out", () => {
  const held = holdBlocks(createManualClock(0), 100);
  const block = (id: string, until: number): Block => ({
    ...{ id, kind: "tag", value: "tag", reason: "violations" },
    ...{ since: 0, until },
  });
  held.put(block("short", 10));
  held.put(block("long", 20));
  expect(held.findTag("tag")?.id).toBe("long");
  held.remove("long");
  expect(held.findTag("tag")?.id).toBe("short");
  held.remove("short");
  expect(held.findTag("tag")).toBeUndefined();
});
