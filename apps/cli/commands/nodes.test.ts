import { fakeHealth } from "@securewave/contracts/testing/fake-nodes";
import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const node = (name: string) => service.api().state.fleet.nodes.find((each) => each.name === name);

test("nodes are listed in an aligned table", async () => {
  const { stdout, stderr, code } = await service.run("nodes list");
  expect(stdout).toBe(
    [
      "NAME       STATE    REGION          DEVICES  CONNECTED  HANDSHAKE  AGENT  PROBLEM",
      "FRA-1      offline  Frankfurt      12/10000        0–9          -  0.1.0  It has not been heard of for 3 minutes. Start its agent.",
      "US-East-1  healthy  United States  12/10000        0–9      18 ms  0.1.0",
      "US-West-1  healthy  United States  12/10000        0–9      18 ms  0.1.0",
      "",
      "3 nodes",
      "",
    ].join("\n"),
  );
  expect([stderr, code]).toEqual(["", 0]);
});

test("a table fits the terminal and is coloured there, unless colours are not wanted", async () => {
  const coloured = await service.run("nodes list", { terminal: 70 });
  expect(coloured.stdout).toContain("\u001b[32mhealthy");
  const plain = await service.run("nodes list", { terminal: 70, env: { NO_COLOR: "1" } });
  expect(plain.stdout).not.toContain("\u001b");
  for (const line of plain.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(70);
  expect(plain.stdout).toContain("…");
});

test("the JSON of a list is the page of the API", async () => {
  const ran = await service.run("nodes list --search us- --limit 1 --json");
  expect(ran.json()).toEqual({ items: [node("US-East-1")], next_cursor: "1" });
  expect(ran.stderr).toBe("");
  const next = await service.run("nodes list --search us- --limit 1 --cursor 1 --json");
  expect(next.json()).toEqual({ items: [node("US-West-1")], next_cursor: null });
});

test("a cut list says so, and --all follows the cursors to the end", async () => {
  for (let number = 0; number < 230; number++) service.api().state.fleet.add(`N-${number}`, "Nowhere");
  const cut = await service.run("nodes list --limit 150");
  expect(cut.stdout.trim().split("\n")).toHaveLength(153);
  expect(cut.stdout).toContain("\n\n150 nodes\n");
  expect(cut.stderr).toContain("--all shows them, --search narrows, --limit");
  const whole = await service.run("nodes list --all");
  expect(whole.stdout.trim().split("\n")).toHaveLength(236);
  expect(whole.stderr).toBe("");
});

test("a node is shown by name, by the beginning of its name in any case, and by id", async () => {
  const id = node("FRA-1")?.id ?? "";
  for (const reference of ["FRA-1", "fra", id, id.slice(0, 12)]) {
    const ran = await service.run(`nodes show ${reference}`);
    expect(ran.stdout).toMatch(/^Node\s+FRA-1\n/);
    expect(ran.stdout).toMatch(/Joined\s+2026-11-19 \(yesterday\)/);
  }
  expect((await service.run("nodes show FRA-1 --json")).json()).toEqual(node("FRA-1"));
});

test("a beginning that fits several nodes is refused with their names", async () => {
  const ran = await service.run("nodes show us");
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("cli.ambiguous");
  expect(ran.stderr).toContain("US-East-1");
  expect(ran.stderr).toContain("US-West-1");
});

test("a name that no node has is refused", async () => {
  const ran = await service.run("nodes show Mars --json");
  expect(ran.code).toBe(1);
  expect(ran.stdout).toBe("");
  expect(JSON.parse(ran.stderr).error.code).toBe("nodes.not_found");
});

test("nodes are found by state and region, however many others stand before them", async () => {
  const { fleet } = service.api().state;
  for (let number = 0; number < 150; number++) fleet.add(`A-${number}`, "Nowhere");
  const offline = await service.run("nodes list --state offline --json");
  expect(offline.json()).toEqual({ items: [node("FRA-1")], next_cursor: null });
  const byRegion = await service.home().run(["nodes", "list", "--region", "united states"]);
  expect(byRegion.stdout).toMatch(/US-East-1.*US-West-1.*\n2 nodes\n$/s);
  expect((await service.run("nodes list --state joining")).stdout).toBe("No such nodes.\n");
  expect((await service.run("nodes list --state asleep")).code).toBe(2);
});

test("a script is told by the exit code whether a node is in trouble", async () => {
  expect((await service.run("nodes list")).code).toBe(0);
  expect((await service.run("nodes list --check")).code).toBe(1);
  expect((await service.home().run(["nodes", "list", "--check", "--region", "United States"])).code).toBe(0);
  Object.assign(node("US-East-1") ?? {}, { state: "draining", problem: "12 devices find no other place." });
  expect((await service.run("nodes list --check --state draining --json")).code).toBe(1);
});

test("throughput has a column where it is known", async () => {
  Object.assign(node("US-West-1") ?? {}, { health: fakeHealth({ throughput: "10–30 Mbit/s" }) });
  const { stdout } = await service.run("nodes list");
  expect(stdout).toMatch(/US-East-1 .* 18 ms {2} +- {2}0\.1\.0\n/);
  expect(stdout).toMatch(/US-West-1 .* 18 ms {2}10–30 Mbit\/s {2}0\.1\.0\n/);
});

test("an agent that is not the current one is told apart", async () => {
  Object.assign(node("US-East-1") ?? {}, { agent_version: "0.0.9", agent_is_current: false });
  expect((await service.run("nodes show US-East-1")).stdout).toMatch(
    /Agent\s+0\.0\.9, not the current one\n/,
  );
});

test("a node's quarantine ends when it is trusted again", async () => {
  Object.assign(node("US-East-1") ?? {}, { quarantined: true, state: "degraded" });
  expect((await service.run("nodes show US-East-1")).stdout).toContain("nodes trust US-East-1");
  expect((await service.run("nodes trust US-East-1")).stdout).toBe("US-East-1 is trusted again.\n");
  expect(node("US-East-1")?.quarantined).toBe(false);
});

test("adding a node shows the command to run on it, and the checksum of what that fetches", async () => {
  const ran = await service
    .home()
    .run(["nodes", "add", "LON-1", "--region", "London", "--tags", "eu, fast", "--capacity", "50"]);
  expect(ran.stdout).toContain("within 24 h");
  expect(ran.stdout).toMatch(/\n {2}curl \S.* --token swj_\w+ /);
  expect(ran.stdout).toMatch(/SHA-256.*\n {2}[0-9a-f]{64}\n$/s);
  expect(node("LON-1")).toMatchObject({ region: "London", tags: ["eu", "fast"], capacity: 50 });
  const again = await service.run("nodes add LON-1 --region London --json");
  expect(JSON.parse(again.stderr).error).toMatchObject({ code: "nodes.name_in_use", status: 409 });
});

test("a fresh join token is shown", async () => {
  expect((await service.run("nodes join-token fra")).stdout).toContain("--token swj_");
  expect((await service.run("nodes token fra --json")).json()).toMatchObject({ expires_in: 86_400 });
});

test("only what is named of a node is changed", async () => {
  await service.run("nodes edit fra --capacity 7 --latitude -1.5");
  expect(node("FRA-1")).toMatchObject({ capacity: 7, latitude: -1.5, longitude: 8.7, region: "Frankfurt" });
  expect((await service.run("nodes edit fra --json")).code).toBe(2);
  expect((await service.run("nodes edit fra --capacity many")).code).toBe(2);
});

test("a node is removed only when that was confirmed", async () => {
  Object.assign(node("FRA-1") ?? {}, { devices: 0 });
  expect((await service.run("nodes remove fra")).code).toBe(2);
  const declined = await service.run("nodes remove fra", { terminal: 80, stdin: "n" });
  expect(declined).toMatchObject({ code: 1 });
  expect(declined.stderr).toContain("cli.cancelled");
  expect(node("FRA-1")?.state).toBe("offline");
  const removed = await service.run("nodes remove fra", { terminal: 80, stdin: "y" });
  expect(removed.stdout).toBe("Removed FRA-1.\n");
  expect((await service.run("nodes list")).stdout).not.toContain("FRA-1");
});

test("a node with devices, or with former places that still work, is removed only when it may be", async () => {
  const full = await service.run("nodes remove fra --yes");
  expect(full.stderr).toContain("nodes.not_empty");
  expect(full.stderr).toContain("nodes drain");
  Object.assign(node("FRA-1") ?? {}, { devices: 0, former_places_until: "2026-11-27" });
  const used = await service.run("nodes remove fra --yes");
  expect(used).toMatchObject({ code: 1 });
  expect(used.stderr).toContain("nodes.still_used");
  expect(used.stderr).toContain("--now");
  const asked = await service.run("nodes remove fra --now", { terminal: 80, stdin: "n" });
  expect(asked.stderr).toContain("work until 2026-11-27 end at once");
  const id = node("FRA-1")?.id;
  expect((await service.run("nodes remove fra --now --yes --json")).json()).toEqual({ removed: id });
});

test("nodes that were removed are listed apart, and each is shown by its id", async () => {
  Object.assign(node("FRA-1") ?? {}, { devices: 0 });
  await service.run("nodes remove fra --yes");
  const id = node("FRA-1")?.id ?? "";
  expect((await service.run("nodes list --removed")).stdout).toMatch(
    new RegExp(`^NAME .*\\nFRA-1 +Frankfurt +2026-11-19 +2026-11-20 +${id}\\n\\n1 node\\n$`),
  );
  expect((await service.run(`nodes show ${id}`)).stdout).toMatch(/Removed\s+2026-11-20 \(today\)\n/);
  expect((await service.run("nodes list --removed --check")).code).toBe(2);
});

test("a customer is told that the role does not allow it", async () => {
  await service.logIn("ada@example.org");
  const ran = await service.run("nodes list");
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("request.not_allowed");
});

test("what a node's agent says cannot steer the terminal", async () => {
  const evil = "bad\u001b]0;title\u0007\u202Eword";
  service.api().state.fleet.add("EVIL", "Nowhere", { state: "degraded", problem: evil, agent_version: evil });
  for (const line of ["nodes list", "nodes show EVIL", "nodes health EVIL", "fleet", "status"]) {
    const { stdout } = await service.run(line);
    expect(stdout).toContain("EVIL");
    expect(stdout).not.toMatch(/[^\P{C}\n]/u);
  }
});
