import { fastify } from "fastify";
import { describe, expect, test } from "vitest";
import { pluginOf } from "../step.ts";
import { createReputation, createReputationStep } from "./index.ts";

const LIST = `# a list
203.0.113.0/24 ; SBL1234
198.51.100.7 # a machine
;2001:db8::/32

\t2001:db8:1::/48\r
not a network
203.0.113.0/99
`;

describe("lists", () => {
  test("are read line by line, with comments of both kinds, blanks and both line ends", async () => {
    const reputation = createReputation();
    expect(await reputation.replace("block", LIST)).toEqual({ networks: 3, badLines: 2, firstBadLine: 7 });
    for (const address of ["203.0.113.9", "198.51.100.7", "2001:db8:1::5"])
      expect(reputation.find(address), address).toBe("block");
    for (const address of ["203.0.114.0", "198.51.100.8", "2001:db8:2::5", "unknown", ""])
      expect(reputation.find(address), address).toBeUndefined();
    expect(reputation.size()).toEqual({ ranges: 3, bytes: 48 });
  });

  test("may come in pieces of any size", async () => {
    for (const size of [1, 2, 7, 64]) {
      const reputation = createReputation();
      const pieces = LIST.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
      expect(await reputation.replace("block", pieces)).toEqual({
        networks: 3,
        badLines: 2,
        firstBadLine: 7,
      });
    }
  });

  test("an allow list wins over a block list, and holds by itself", async () => {
    const reputation = createReputation();
    await reputation.replace("allow", "203.0.113.7");
    expect(reputation.find("203.0.113.7")).toBe("allow");
    await reputation.replace("block", "203.0.113.0/24");
    expect(reputation.find("203.0.113.7")).toBe("allow");
    expect(reputation.find("203.0.113.8")).toBe("block");
  });

  test("a new one takes the place of the old one at once and as a whole", async () => {
    const reputation = createReputation();
    await reputation.replace("block", "203.0.113.7");
    let letOn = () => {};
    const gate = new Promise<void>((resolve) => {
      letOn = resolve;
    });
    async function* slowly() {
      yield "198.51.100.7\n";
      await gate;
      yield "198.51.100.8\n";
    }
    const loading = reputation.replace("block", slowly());
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(reputation.find("203.0.113.7")).toBe("block");
    expect(reputation.find("198.51.100.7")).toBeUndefined();
    letOn();
    await loading;
    expect(reputation.find("203.0.113.7")).toBeUndefined();
    expect(reputation.find("198.51.100.8")).toBe("block");
  });

  test("one that breaks off leaves the one before", async () => {
    const reputation = createReputation();
    await reputation.replace("block", "203.0.113.7");
    async function* broken() {
      yield "198.51.100.7\n";
      throw new Error("gone");
    }
    await expect(reputation.replace("block", broken())).rejects.toThrow("gone");
    expect(reputation.find("203.0.113.7")).toBe("block");
  });

  test("of two loads at once, the one that began later counts, whichever ends first", async () => {
    const reputation = createReputation();
    async function* late() {
      await new Promise((resolve) => setTimeout(resolve, 20));
      yield "203.0.113.7\n";
    }
    await Promise.all([reputation.replace("block", late()), reputation.replace("block", "198.51.100.7")]);
    expect(reputation.find("198.51.100.7")).toBe("block");
    expect(reputation.find("203.0.113.7")).toBeUndefined();
  });

  test("a line without an end costs no more than its length", async () => {
    const piece = "1".repeat(65_536);
    const pieces = Array.from({ length: 512 }, () => piece); // 32 MiB
    const startMs = performance.now();
    const report = await createReputation().replace("block", [...pieces, "\n203.0.113.7\n"]);
    expect(report).toEqual({ networks: 1, badLines: 1, firstBadLine: 1 });
    expect(performance.now() - startMs).toBeLessThan(2000);
  });
});

test("other work goes on while a long list is read", async () => {
  const lines = Array.from(
    { length: 100_000 },
    (_, at) => `10.${(at >> 8) & 255}.${at & 255}.${at % 251}`,
  ).join("\n");
  let turns = 0;
  const counting = setInterval(() => turns++, 1);
  await createReputation().replace("block", lines);
  clearInterval(counting);
  expect(turns).toBeGreaterThan(5);
});

test("a request from a listed address is refused, and an allowed one served", async () => {
  const reputation = createReputation();
  await reputation.replace("block", "203.0.113.0/24");
  await reputation.replace("allow", "203.0.113.7");
  const app = fastify();
  app.decorateRequest("origin");
  app.addHook("onRequest", async (request) => {
    request.origin = { address: request.ip, tag: "", previousTag: "" };
  });
  app.register(pluginOf("reputation", createReputationStep(reputation)));
  app.get("/", async () => "served");
  const ask = (remoteAddress: string) => app.inject({ url: "/", remoteAddress });
  const refused = await ask("203.0.113.8");
  expect(refused.statusCode).toBe(403);
  expect(refused.json()).toMatchObject({ code: "sentinel.blocked" });
  expect(refused.body).not.toContain("203.0.113");
  for (const address of ["203.0.113.7", "198.51.100.1"]) expect((await ask(address)).statusCode).toBe(200);
  await app.close();
});
