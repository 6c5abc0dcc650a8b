import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const status = () => service.api().state.status;
const run = (args: readonly string[], options = {}) => service.home().run(["maintenance", ...args], options);

test("the mode is switched on after asking, shown, and switched off", async () => {
  expect((await run(["on"])).code).toBe(2);
  expect(status().switched).toBe("off");
  expect((await run(["on", "--mode", "closed", "--yes"])).stdout).toContain(
    "Only staff are let in. Tunnels go on.",
  );
  expect(status().switched).toBe("closed");
  expect((await run(["status"])).stdout).toContain("staff switched it: securewave maintenance off");
  expect((await run(["off"])).stdout).toBe("off: The service is open.\n");
});

test("while a breach is open, it is said that switching opens nothing, and what does", async () => {
  status().isBreached = true;
  const { stdout } = await run(["off"]);
  expect(stdout).toBe(
    "closed: Only staff are let in. Tunnels go on. (a breach is open: securewave breach close)\n",
  );
});

test("maintenance is announced in UTC, listed, and called off", async () => {
  const scheduled = await run([
    "schedule",
    "New disks",
    "-t",
    "We change disks.",
    "-s",
    "2026-11-24T02:00",
    "-f",
    "2h",
    "-m",
    "read-only",
    "--no-mail",
  ]);
  expect(scheduled.stderr).toBe("");
  expect(scheduled.stdout).toMatch(/^New disks is announced for 2026-11-24 02:00 to 04:00 \(mnt_/);
  expect(status().windows[0]).toMatchObject({
    mode: "read-only",
    notifies: false,
    ends_at: "2026-11-24T04:00:00.000Z",
  });
  expect((await run(["list"])).stdout).toMatch(
    /New disks +scheduled +2026-11-24 02:00 to 04:00 +read-only +24 h ahead +all/,
  );
  expect((await run(["cancel", "new", "--yes"])).stdout).toBe("New disks is called off.\n");
  expect((await run(["cancel", "new", "--yes"])).stderr).toContain("status.already_begun");
});

test("maintenance that is nearer than a day is refused with what to do, unless it is an emergency", async () => {
  const near = ["schedule", "Leak", "-t", "Water.", "-s", "2026-11-20T13:00", "-f", "30m"];
  expect(await run(near)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("24 hours ahead at least"),
  });
  expect((await run([...near, "--emergency"])).code).toBe(0);
});

test("what is no time is wrong usage", async () => {
  const wrong = await run(["schedule", "X", "-t", "Y", "-s", "tomorrow", "-f", "1h"]);
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("2026-11-24T02:00") });
});

test("announced maintenance is moved after asking, and takes as long as before unless that is said", async () => {
  const schedule = ["schedule", "New disks", "-t", "We change disks.", "-s", "2026-11-24T02:00", "-f", "2h"];
  await run(schedule);
  const move = ["reschedule", "new", "--starts", "2026-11-25T03:00"];
  expect((await run(move)).code).toBe(2);
  expect(status().windows[0]?.starts_at).toBe("2026-11-24T02:00:00.000Z");
  const asked = await run(move, { stdin: "y\n", terminal: 200 });
  expect(asked.stderr).toContain("from 2026-11-24 02:00 to 04:00 to 2026-11-25 03:00 to 05:00 (UTC)?");
  expect(asked.stderr).toContain("Customers whom it concerns get a mail");
  expect(asked.stdout).toBe("New disks is announced for 2026-11-25 03:00 to 05:00.\n");
  const longer = [
    "reschedule",
    "new",
    "--for",
    "3h",
    "--mode",
    "closed",
    "-p",
    "mail,api",
    "-t",
    "More.",
    "--yes",
  ];
  expect((await run(longer)).stdout).toContain("2026-11-25 03:00 to 06:00");
  expect(status().windows[0]).toMatchObject({ mode: "closed", components: ["mail", "api"], text: "More." });
});

test("maintenance is moved nearer than a day as an emergency only, and is none later unless that is said again", async () => {
  await run(["schedule", "Leak", "-t", "Water.", "-s", "2026-11-24T02:00", "-f", "30m", "--no-mail"]);
  const to = (time: string, ...more: string[]) => run(["reschedule", "leak", "-s", time, "--yes", ...more]);
  expect((await to("2026-11-20T14:00")).stderr).toContain("status.too_soon");
  expect((await to("2026-11-20T14:00", "--emergency")).code).toBe(0);
  expect((await to("2026-11-20T15:00")).stderr).toContain("status.too_soon");
  expect((await to("2026-11-23T15:00")).code).toBe(0);
  expect(status().windows[0]?.is_emergency).toBe(false);
  await run(["cancel", "leak", "--yes"]);
  expect((await to("2026-11-24T15:00")).stderr).toContain("status.already_begun");
});

test("what is to change has to be said", async () => {
  await run(["schedule", "Leak", "-t", "Water.", "-s", "2026-11-24T02:00", "-f", "30m"]);
  expect(await run(["reschedule", "leak", "--yes"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Say what is to change"),
  });
});
