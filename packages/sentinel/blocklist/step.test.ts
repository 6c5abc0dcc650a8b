import { createManualClock } from "@securewave/foundation";
import Fastify from "fastify";
import { expect, test } from "vitest";
import { inOrder, pluginOf } from "../step.ts";
import { createBlocklist, createBlocklistStep } from "./index.ts";

test("a blocked origin is refused with 403 and the time that is left, and let in when it is over", async () => {
  const clock = createManualClock(Date.parse("2026-11-20T10:00:00Z"));
  const blocklist = createBlocklist({ clock });
  const app = Fastify();
  app.register(
    pluginOf(
      "blocklist",
      inOrder([
        (request) => {
          request.origin = { address: request.ip, tag: "tag", previousTag: "before" };
        },
        createBlocklistStep(blocklist, clock),
      ]),
    ),
  );
  app.get("/", () => "ok");
  expect((await app.inject("/")).statusCode).toBe(200);
  blocklist.add({ kind: "network", value: "127.0.0.0/8", seconds: 60 });
  clock.advanceSeconds(0.5);
  const refused = await app.inject("/");
  expect(refused.statusCode).toBe(403);
  expect(refused.headers["retry-after"]).toBe("60");
  expect(refused.body).not.toContain("127.0.0");
  clock.advanceSeconds(60);
  expect((await app.inject("/")).statusCode).toBe(200);
  await app.close();
  blocklist.close();
});
