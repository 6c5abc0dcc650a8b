import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const plan = (name: string) => service.api().state.plans.plans.find((each) => each.name === name);

test("plans are listed with what they allow", async () => {
  expect((await service.run("plans list")).stdout).toBe(
    [
      "NAME      QUOTA                      SPEED  TAGS  CONNECTIONS  DEVICES",
      "Basic     200 GB, then 2 Mbit/s  unlimited  -       at most 3   as set  unused",
      "Standard  unlimited              unlimited  -       unlimited   as set  default",
      "",
      "2 plans",
      "",
    ].join("\n"),
  );
  expect((await service.run("plans list --search bas --json")).json()).toEqual({
    items: [plan("Basic")],
    next_cursor: null,
  });
});

test("a plan is shown by its name, and without a name one's own", async () => {
  expect((await service.run("plans show Basic --json")).json()).toEqual(plan("Basic"));
  expect((await service.run("plans show basic")).stdout).toMatch(
    /Traffic a month\s+200 GB, then 2 Mbit\/s\n/,
  );
  await service.logIn("ada@example.org");
  expect((await service.run("plans show")).stdout).toMatch(/Plan\s+Standard\n/);
});

test("a plan is created with its limits and changed in what is named", async () => {
  await service.run("plans create Trial --quota 5GB --on-quota block --devices-max 1");
  const trial = { quota_bytes: 5e9, on_quota: "block", devices_max: 1, connections_max: null };
  expect(plan("Trial")).toMatchObject(trial);
  await service.run("plans change Trial --quota none --connections-max 4 --throttle 1.5mbit");
  const changed = { ...trial, quota_bytes: null, connections_max: 4, throttle_kbit_per_second: 1500 };
  expect(plan("Trial")).toMatchObject(changed);
  await service.run("plans change Trial --default");
  expect([plan("Trial")?.is_default, plan("Standard")?.is_default]).toEqual([true, false]);
  await service.run("plans change Basic --retire");
  expect(plan("Basic")?.is_retired).toBe(true);
  await service.run("plans change Basic --offer");
  expect(plan("Basic")?.is_retired).toBe(false);
});

test("a plan has a speed, and tags of the servers that are for it", async () => {
  await service.run("plans create Fast --speed 200mbit --tags streaming,p2p");
  expect(plan("Fast")).toMatchObject({ speed_kbit_per_second: 200_000, server_tags: ["streaming", "p2p"] });
  const { stdout } = await service.run("plans show Fast");
  expect(stdout).toMatch(/Speed\s+200 Mbit\/s\n/);
  expect(stdout).toMatch(/Servers\s+those without tags, and with streaming, p2p\n/);
  await service.home().run(["plans", "change", "Fast", "--speed", "none", "--tags", ""]);
  expect(plan("Fast")).toMatchObject({ speed_kbit_per_second: null, server_tags: [] });
});

test("a plan is removed after asking, unless it is in use", async () => {
  expect((await service.run("plans remove Basic --json")).code).toBe(2);
  const id = plan("Basic")?.id;
  await service.run("plans remove Basic", { terminal: 80, stdin: "n" });
  expect(plan("Basic")?.id).toBe(id);
  const removed = await service.run("plans remove Basic", { terminal: 80, stdin: "y" });
  expect([removed.stdout, plan("Basic")]).toEqual(["Removed Basic.\n", undefined]);
  const used = await service.run("plans remove Standard --yes");
  expect(used).toMatchObject({ code: 1 });
  expect(used.stderr).toContain("plans.in_use");
});

test("an account is given a plan, and shown with it", async () => {
  const ran = await service.run("plans assign ada@example.org Basic");
  expect(ran.stdout).toBe("ada@example.org has the plan Basic.\n");
  expect((await service.run("plans of ada@example.org")).stdout).toMatch(/Plan\s+Basic\n/);
  expect((await service.run("plans of adam@example.org")).stdout).toMatch(/Plan\s+Standard\n/);
});

test("wrong limits, and a change of nothing, are wrong usage", async () => {
  for (const line of [
    "plans change Basic",
    "plans change Basic --retire --offer",
    "plans change Basic --quota 5",
    "plans change Basic --on-quota stop",
    "plans create Other --throttle 1kbit",
    "plans create Other --speed fast",
    "plans create Other --connections-max 0",
  ]) {
    expect([line, (await service.run(line)).code]).toEqual([line, 2]);
  }
});

test("one's own use of the month is shown, and what comes of it", async () => {
  const { plans } = service.api().state;
  await service.run("plans assign ada@example.org Basic");
  await service.logIn("ada@example.org");
  plans.usedBytes = 150e9;
  const { stdout } = await service.run("usage");
  expect(stdout).toMatch(/Used\s+150 GB of 200 GB \(75 %\)\n/);
  expect(stdout).toMatch(/Devices are\s+free\n/);
  expect(stdout).toMatch(/Begins anew on\s+2026-12-01\n/);
  plans.usedBytes = 200e9;
  expect((await service.run("usage")).stdout).toMatch(/Devices are\s+throttled to 2 Mbit\/s\n/);
  expect((await service.run("usage --json")).json()).toMatchObject({
    percent: 100,
    restriction: "throttled",
  });
});

test("staff see an account's use in whole GiB", async () => {
  service.api().state.plans.usedBytes = 10 * 2 ** 30 + 5;
  expect((await service.run("usage adam@example.org")).stdout).toMatch(/Used\s+10 GiB\n/);
  expect((await service.run("usage adam@example.org --json")).json()).toMatchObject({ used_gib: 10 });
});
