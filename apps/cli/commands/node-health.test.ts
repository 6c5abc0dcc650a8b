import { fakeHour } from "@securewave/contracts/testing/fake-nodes";
import { invariant } from "@securewave/foundation";
import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();

function giveAnHour(): void {
  const { fleet } = service.api().state;
  const [node] = fleet.nodes;
  invariant(node, "there is a node");
  const hour = fakeHour(0.5, { throughput: "10–30 Mbit/s", probes_lost: 0.1, troubles: 3 });
  fleet.samples.set(
    node.id,
    hour.map((sample, index) =>
      index < 60 ? { ...sample, echo_ms: null, throughput: "<1 Mbit/s" } : sample,
    ),
  );
}

test("the last hour is drawn, each figure with its newest value, within the terminal", async () => {
  giveAnHour();
  const { stdout } = await service.run("nodes health US-East-1", { terminal: 80, env: { NO_COLOR: "1" } });
  for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  expect(stdout).toMatch(/^US-East-1 is healthy\.\n/);
  expect(stdout).toMatch(/Processor +50 % {2}▁+▂+▃+▄+▅+\n/);
  expect(stdout).toMatch(/Memory +34 % {2}▃+\n/);
  expect(stdout).toMatch(/Throughput +10–30 Mbit\/s {2}▁+█+\n/);
  expect(stdout).toMatch(/Echo +18 ms {2} +█+\n/);
  expect(stdout).toMatch(/Probes lost +10 % {2}▂+\n/);
  expect(stdout).toContain("The last 60 min");
});

test("the JSON of it is the node and its samples", async () => {
  giveAnHour();
  const { fleet } = service.api().state;
  expect((await service.run("nodes health US-East-1 --json")).json()).toEqual({
    node: fleet.nodes[0],
    samples: fleet.samples.get(fleet.nodes[0]?.id ?? ""),
  });
});

test("of a node that nothing is known of, that is said, and what is wrong with it", async () => {
  const { stdout } = await service.run("nodes health FRA-1");
  expect(stdout).toContain("FRA-1 is offline: It has not been heard of");
  expect(stdout).toContain("Nothing is known of its last hour yet.");
});

test("only a terminal is drawn on again and again", async () => {
  for (const options of ["--watch", "--watch --json"]) {
    const ran = await service.run(`nodes health US-East-1 ${options}`);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
  }
});
