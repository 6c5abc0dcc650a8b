import { readFileSync } from "node:fs";
import { dayOf } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import { afterAll, expect, test } from "vitest";
import { codeOf, openTestApp } from "../../testing.ts";

const service = await openTestApp({ jobs: true });
afterAll(() => service.close());
const { client, id: adminId } = await service.admin();

test("every job is listed with what it does, and those of the clock with when they run", async () => {
  const { items } = await client.jobs.list();
  const cleanUp = items.find(({ name }) => name === "clean-up");
  expect(cleanUp).toMatchObject({
    what: "deletes what has expired",
    kind: "clocked",
    schedule: "17 3 * * *",
  });
  for (const { name, what, kind, next_at } of items) {
    expect(what, name).toMatch(/^[a-z].{10}/);
    expect(next_at !== null, name).toBe(kind === "clocked");
  }
});

test("the documentation has the jobs that there are, with their times", async () => {
  const { items } = await client.jobs.list();
  const text = readFileSync(new URL("../../../../docs/jobs.md", import.meta.url), "utf8");
  const rows = [...text.matchAll(/^\| `([a-z0-9-]+)` \| ([^|]+) \|/gm)].map(([, name, when]) => ({
    name,
    when: when?.trim(),
  }));
  const expected = items.map(({ name, kind, schedule }) => ({
    name,
    when: kind === "queued" ? "when asked for" : schedule === null ? "when staff ask" : `\`${schedule}\``,
  }));
  const byName = (a: { name: string | undefined }, b: { name: string | undefined }) =>
    (a.name ?? "") < (b.name ?? "") ? -1 : 1;
  expect(rows.sort(byName)).toEqual(expected.sort(byName));
});

test("staff have a job run, see what came of it, and the trail says who asked", async () => {
  const params = { name: "audit-checkpoint" };
  expect(await client.jobs.run({ params })).toMatchObject({ name: "audit-checkpoint" });
  const job = await eventually(async () => {
    const found = await client.jobs.get({ params });
    expect(found).toMatchObject({ state: "idle", last_run: { result: "succeeded" } });
    return found;
  });
  expect(job.runs).toMatchObject([{ cause: "staff", attempt: 1, code: null }]);
  await service.app.audit.sign();
  const { items } = await client.audit.list({ query: { kind: "job_started" } });
  expect(items.map(({ body }) => body)).toMatchObject([{ actor: adminId, subject: "audit-checkpoint" }]);
});

test("what people's acts queue is not run by hand, nor what there is not, nor what waits already", async () => {
  const run = (name: string) => codeOf(client.jobs.run({ params: { name } }));
  expect(await run("account-mail")).toBe("jobs.runs_by_itself");
  expect(await run("no-such-job")).toBe("jobs.not_found");
  expect(await codeOf(client.jobs.get({ params: { name: "no-such-job" } }))).toBe("jobs.not_found");
  // Somebody runs it, and lives.
  await service.database.pool.query(
    "update job_states set holder = 'x', requests = requests + 1 where name = 'clean-up'",
  );
  expect(await run("clean-up")).toBe("jobs.already_running");
});

test("dead letters are listed page by page, sent again or thrown away, each time with an entry in the trail", async () => {
  const { id: accountId } = await service.person();
  const day = dayOf(service.clock.now());
  const ids = ["a", "b", "c"].map((letter) => `dead_${letter.repeat(20)}`);
  for (const id of ids) {
    const letter = {
      id,
      job: "account-mail",
      account_id: accountId,
      data: "{}",
      failed_on: day,
      attempts: 9,
    };
    await service.database.db
      .insertInto("dead_letters")
      .values({ ...letter, code: "ECONNREFUSED" })
      .execute();
  }
  const first = await client.deadLetters.list({ query: { limit: 2 } });
  const rest = await client.deadLetters.list({ query: { cursor: first.next_cursor ?? "" } });
  expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(ids);
  expect(first.items[0]).toEqual({
    id: ids[0],
    job: "account-mail",
    account_id: accountId,
    failed_on: day,
    attempts: 9,
    code: "ECONNREFUSED",
  });
  expect((await client.jobs.list()).items.find(({ name }) => name === "account-mail")?.dead).toBe(3);

  const [one = "", two = ""] = ids;
  await client.deadLetters.retry({ params: { id: one } });
  await client.deadLetters.discard({ params: { id: two } });
  expect(await codeOf(client.deadLetters.retry({ params: { id: one } }))).toBe("jobs.letter_not_found");
  expect(await codeOf(client.deadLetters.discard({ params: { id: two } }))).toBe("jobs.letter_not_found");
  await service.app.audit.sign();
  const acts = (await client.audit.list({ query: { search: "dead_letter" } })).items.map(({ body }) => body);
  expect(acts).toMatchObject([
    { kind: "dead_letter_discarded", subject: two, details: { job: "account-mail" } },
    { kind: "dead_letter_retried", subject: one, details: { job: "account-mail" } },
  ]);
});

test("a dead letter of a job that there is no more can only be thrown away", async () => {
  const id = `dead_${"d".repeat(20)}`;
  const letter = { id, job: "former-mail", data: "{}", failed_on: dayOf(service.clock.now()), attempts: 9 };
  await service.database.db.insertInto("dead_letters").values(letter).execute();
  expect(await codeOf(client.deadLetters.retry({ params: { id } }))).toBe("jobs.not_found");
  const { items } = await client.deadLetters.list();
  expect(items.map(({ job }) => job)).toContain("former-mail");
  await client.deadLetters.discard({ params: { id } });
  expect(await codeOf(client.deadLetters.discard({ params: { id } }))).toBe("jobs.letter_not_found");
});

test("metrics tell of each job when it last succeeded, and of dead letters how many", async () => {
  const server = await service.app.telemetry.listen("127.0.0.1", 0);
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await new Promise((resolve) => server.close(resolve));
  expect(text).toMatch(/^securewave_jobs_last_success_age_seconds\{job="audit-checkpoint"\} \d/m);
  expect(text).toMatch(/^securewave_jobs_dead_letters 1$/m);
});
