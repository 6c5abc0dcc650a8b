import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();

test("the fleet is shown by region, and the worst of its nodes with their problems", async () => {
  const { fleet } = service.api().state;
  fleet.add("FRA-2", "Frankfurt", { state: "draining", devices: 3 });
  fleet.add("FRA-3", "Frankfurt", { state: "degraded", problem: "Three probes were lost." });
  expect((await service.run("fleet")).stdout).toBe(
    [
      "REGION         NODES  HEALTHY  DRAINING  DEGRADED  OFFLINE   DEVICES",
      "Frankfurt          3        -         1         1        1  15/30000",
      "United States      2        2         -         -        -  24/20000",
      "",
      "5 nodes in 2 regions",
      "",
      "FRA-1: It has not been heard of for 3 minutes. Start its agent.",
      "FRA-3: Three probes were lost.",
      "",
    ].join("\n"),
  );
});

test("the JSON of it counts the same, and --check tells by the exit code", async () => {
  const ran = await service.run("fleet --check --json");
  expect(ran).toMatchObject({ code: 1 });
  expect(ran.json()).toMatchObject({
    regions: [
      { region: "Frankfurt", nodes: 1, by_state: { offline: 1, healthy: 0 }, devices: 12, capacity: 10_000 },
      { region: "United States", nodes: 2 },
    ],
    problems: [{ name: "FRA-1", region: "Frankfurt", state: "offline" }],
  });
  for (const node of service.api().state.fleet.nodes)
    Object.assign(node, { state: "healthy", problem: null });
  expect((await service.run("fleet --check")).code).toBe(0);
});

test("a fleet without nodes is told how to get one", async () => {
  service.api().state.fleet.nodes.length = 0;
  expect(await service.run("fleet --check")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("nodes add"),
  });
});
