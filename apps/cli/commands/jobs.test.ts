import { expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const fake = () => service.api().state.jobs;

test("jobs are listed with when they run and how they are, and an overdue one is a failure", async () => {
  const ran = await service.run("jobs list");
  const [titles, cleanUp, backUp, mail, , count] = ran.stdout.split("\n");
  expect(titles).toMatch(/^JOB +WHEN +STATE +LAST RUN +RESULT +TOOK +NEXT$/);
  expect(cleanUp).toMatch(
    /^clean-up +daily at 03:17 UTC +idle +2026-11-20 03:17:02 +succeeded +1\.2 s +in 15 h$/,
  );
  expect(backUp).toMatch(/^back-up +daily at 02:13 UTC +idle, overdue +2026-11-20 03:17:02 +failed +30\.0 s/);
  expect(mail).toMatch(/^account-mail +when asked for +10\+ waiting, 2 retrying, 2 dead/);
  expect([count, ran.code]).toEqual(["3 jobs, 1 overdue", 1]);
  expect(ran.stderr).toContain("2 dead letters: see them by `securewave jobs dead`");
  fake().jobs.splice(1);
  expect((await service.run("jobs list --json")).json()).toEqual({ items: fake().jobs });
});

test("a job is shown with its runs", async () => {
  const { stdout, code } = await service.run("jobs show back-up");
  expect(stdout).toMatch(/^Does +backs up the database$/m);
  expect(stdout).toMatch(/^2026-11-20 03:17:02 +the clock +9 +failed +30\.0 s +ECONNREFUSED$/m);
  expect(code).toBe(0);
  expect((await service.run("jobs show nothing")).stderr).toContain("(jobs.not_found)");
});

test("a job is run, and waited for with its progress", async () => {
  const ran = await service.run("jobs run clean-up");
  expect(ran.stdout).toBe("clean-up runs as soon as a worker is free.\n");
  const again = await service.run("jobs run clean-up");
  expect(again.stderr).toContain("(jobs.already_running)");
  const waited = await service.run("jobs run back-up --wait", { terminal: 80 });
  expect(waited.stdout).toBe("back-up is done after 1.2 s.\n");
  expect(waited.stderr).toContain("back-up [###############...............] 50 %");
  expect(waited.code).toBe(0);
});

test("a job that fails while it is waited for is a failure, and says which", async () => {
  fake().next = { result: "failed", code: "backup_work.failed" };
  const ran = await service.run("jobs run back-up --wait");
  expect([ran.stdout, ran.code]).toEqual([
    "back-up failed after 1.2 s (backup_work.failed), attempt 1.\n",
    1,
  ]);
});

test("what people's acts queue cannot be run by hand", async () => {
  const ran = await service.run("jobs run account-mail --json");
  expect(JSON.parse(ran.stderr).error).toMatchObject({
    code: "jobs.runs_by_itself",
    next: expect.stringContaining("jobs dead"),
  });
});

test("dead letters are listed, sent again and thrown away, one or all", async () => {
  const { stdout } = await service.run("jobs dead");
  expect(stdout).toMatch(/^dead_\w+ +account-mail +acc_\w+ +2026-11-19 \(yesterday\) +9 +ECONNREFUSED$/m);
  const [first, second] = fake().deadLetters.map(({ id }) => id);
  expect((await service.run(`jobs retry ${first}`)).stdout).toBe("1 dead letter queued again.\n");
  expect((await service.run(`jobs retry ${first}`)).stderr).toContain("(jobs.letter_not_found)");
  expect((await service.run(`jobs discard ${second}`)).code).toBe(2); // it asks
  expect((await service.run("jobs discard --all --yes --json")).json()).toEqual({ discarded: [second] });
  expect((await service.run("jobs dead")).stdout).toBe("There are no dead letters.\n");
  expect((await service.run("jobs retry")).stderr).toContain("Name one dead letter, or say --all.");
});
