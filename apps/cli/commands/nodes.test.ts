import { expect, test } from "vitest";
import { fakeNode } from "../testing/fake-state.ts";
import { useService } from "../testing/service.ts";

const service = useService();
const node = (name: string) => service.api().state.nodes.find((each) => each.name === name);

test("nodes are listed in an aligned table", async () => {
  const { stdout, stderr, code } = await service.run("nodes list");
  expect(stdout).toBe(
    [
      "NAME       STATE    REGION          DEVICES  CONNECTED  BEHIND  PROBLEM",
      "US-East-1  healthy  United States  12/10000     1 to 9       2",
      "US-West-1  healthy  United States  12/10000     1 to 9       2",
      "FRA-1      offline  Frankfurt      12/10000     1 to 9       -  It has not been heard of for 3 minutes. Start its agent.",
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
  for (let number = 0; number < 230; number++)
    service.api().state.nodes.push(fakeNode(`N-${number}`, "healthy"));
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

test("adding a node shows the command to run on it", async () => {
  const ran = await service
    .home()
    .run(["nodes", "add", "LON-1", "--region", "London", "--tags", "eu, fast", "--capacity", "50"]);
  expect(ran.stdout).toContain("within 24 h");
  expect(ran.stdout).toContain("securewave-node join swj_example");
  expect(node("LON-1")).toMatchObject({ region: "London", tags: ["eu", "fast"], capacity: 50 });
  const again = await service.run("nodes add LON-1 --region London --json");
  expect(JSON.parse(again.stderr).error).toMatchObject({ code: "nodes.name_in_use", status: 409 });
});

test("a fresh join token is shown", async () => {
  expect((await service.run("nodes join-token fra")).stdout).toContain("swj_example");
  expect((await service.run("nodes join-token fra --json")).json()).toMatchObject({ expires_in: 86_400 });
});

test("a node is drained and undrained", async () => {
  expect((await service.run("nodes drain US-East-1")).stdout).toContain("gets no new devices");
  expect(node("US-East-1")?.state).toBe("draining");
  expect((await service.run("nodes undrain US-East-1 --json")).json()).toMatchObject({ state: "healthy" });
});

test("only what is named of a node is changed", async () => {
  await service.run("nodes edit fra --capacity 7 --latitude -1.5");
  expect(node("FRA-1")).toMatchObject({ capacity: 7, latitude: -1.5, longitude: 8.7, tags: ["fast"] });
  expect((await service.run("nodes edit fra --json")).code).toBe(2);
  expect((await service.run("nodes edit fra --capacity many")).code).toBe(2);
});

test("a node is removed only when that was confirmed", async () => {
  expect((await service.run("nodes remove fra")).code).toBe(2);
  const declined = await service.run("nodes remove fra", { terminal: 80, stdin: "n" });
  expect(declined).toMatchObject({ code: 1 });
  expect(declined.stderr).toContain("cli.cancelled");
  expect(node("FRA-1")).toBeDefined();
  expect((await service.run("nodes remove fra", { terminal: 80, stdin: "y" })).stdout).toContain(
    "Removed FRA-1",
  );
  expect(node("FRA-1")).toBeUndefined();
});

test("with --yes nothing is asked, and a refusal of the service says what to do", async () => {
  const ran = await service.run("nodes remove US-East-1 --yes");
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("nodes.not_empty");
  expect(ran.stderr).toContain("nodes drain");
  const id = node("FRA-1")?.id;
  expect((await service.run("nodes remove fra --yes --json")).json()).toEqual({ removed: id });
});

test("a customer is told that the role does not allow it", async () => {
  await service.logIn("ada@example.org");
  const ran = await service.run("nodes list");
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("request.not_allowed");
});

test("what a node's agent says cannot steer the terminal", async () => {
  service
    .api()
    .state.nodes.push({ ...fakeNode("EVIL", "degraded"), problem: "bad\u001b]0;title\u0007\u202Eword" });
  for (const line of ["nodes list", "nodes show EVIL", "status"]) {
    expect((await service.run(line)).stdout).not.toMatch(/[^\P{C}\n]/u);
  }
});
