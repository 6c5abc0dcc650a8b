import { openTestDatabase } from "@securewave/database/testing";
import { insertAccountRow } from "@securewave/database/testing-rows";
import { createId } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import { afterAll, afterEach, expect, test } from "vitest";
import { createJobs, type Jobs, type Run } from "./index.ts";

const database = await openTestDatabase();
const opened: Jobs[] = [];
afterEach(async () => {
  for (const jobs of opened.splice(0)) await jobs.stop();
  await database.pool.query("delete from jobs.job");
  await database.truncateAll();
});
afterAll(() => database.close());

interface Letter {
  readonly accountId: string;
  readonly notice: string;
}

async function open(run: Run<Letter>, pollSeconds = 0.5): Promise<Jobs> {
  const jobs = createJobs(database, () => undefined, { pollSeconds, leaseSeconds: 2 });
  opened.push(jobs);
  jobs.define("letter", run);
  await jobs.start();
  return jobs;
}

const refused = () => Object.assign(new Error("no such mailbox: anna@example.org"), { code: "EENVELOPE" });

async function account(): Promise<string> {
  const id = createId("account");
  await insertAccountRow(database.db, { id });
  return id;
}

/** Queues a letter of which all attempts but the last were made. */
async function sendLastTime(jobs: Jobs, letter: Letter): Promise<void> {
  await database.transaction(async (trx) => {
    await jobs.send("letter", letter, trx);
    // It has been begun before, so that pg-boss counts the next as another attempt.
    await trx.executeQuery(
      compiled(
        "update jobs.job set retry_count = 7, state = 'retry', started_on = now() where state = 'created'",
      ),
    );
  });
}

const compiled = (text: string) => ({ sql: text, parameters: [], query: { kind: "RawNode" } }) as never;

async function deadLetterOf(jobs: Jobs) {
  return eventually(async () => {
    const [letter] = await jobs.deadLetters(undefined, 10);
    if (letter === undefined) throw new Error("it is not given up yet");
    return letter;
  });
}

test("letters go out one behind the other as soon as they are queued, also those of another process", async () => {
  const sent: string[] = [];
  const hourly = 3600;
  await open(async ({ notice }) => void sent.push(notice), hourly);
  const elsewhere = createJobs(database, () => undefined);
  opened.push(elsewhere);
  elsewhere.define("letter", async () => {});
  const accountId = await account();
  const notices = Array.from({ length: 30 }, (_, number) => `notice ${number}`);
  await database.transaction(async (trx) => {
    for (const notice of notices) await elsewhere.send("letter", { accountId, notice }, trx);
  });
  await eventually(() => expect(sent).toHaveLength(notices.length));
  expect(new Set(sent)).toEqual(new Set(notices));
});

test("what fails for the last time is kept as a dead letter: its day, a code, no word of the error", async () => {
  const finals: boolean[] = [];
  const jobs = await open(async (_, { isFinal }) => {
    finals.push(isFinal);
    throw refused();
  });
  const accountId = await account();
  await sendLastTime(jobs, { accountId, notice: "password_changed" });
  const letter = await deadLetterOf(jobs);
  expect(letter).toEqual({
    id: expect.stringMatching(/^dead_/),
    job: "letter",
    accountId,
    failedOn: new Date().toISOString().slice(0, 10),
    attempts: 9,
    code: "EENVELOPE",
  });
  expect(finals).toEqual([true]);
  expect(await jobs.list()).toMatchObject([
    { name: "letter", kind: "queued", waiting: 0, dead: 1, lastRun: null },
  ]);
  const { rows } = await database.pool.query(
    "select d.*, j.* from dead_letters d full join jobs.job j on true",
  );
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain("anna");
});

test("staff have a dead letter sent after all, as it was, or throw it away", async () => {
  const sent: Letter[] = [];
  let fails = true;
  const jobs = await open(async (letter) => {
    if (fails) throw refused();
    sent.push(letter);
  });
  const letter = { accountId: await account(), notice: "password_changed" };
  await sendLastTime(jobs, letter);
  const { id } = await deadLetterOf(jobs);
  fails = false;
  expect(await database.transaction((trx) => jobs.retryDeadLetter(trx, id))).toEqual({
    job: "letter",
    isQueued: true,
  });
  await eventually(() => expect(sent).toEqual([letter]));
  expect(await jobs.deadLetters(undefined, 10)).toEqual([]);
  expect(await database.transaction((trx) => jobs.retryDeadLetter(trx, id))).toBeUndefined();

  fails = true;
  await sendLastTime(jobs, letter);
  const other = await deadLetterOf(jobs);
  expect(await database.transaction((trx) => jobs.discardDeadLetter(trx, other.id))).toBe("letter");
  expect(await jobs.list()).toMatchObject([{ waiting: 0, dead: 0 }]);
});

test("dead letters go with their account, and none is made for one that is gone", async () => {
  const jobs = await open(async () => {
    throw refused();
  });
  const accountId = await account();
  await sendLastTime(jobs, { accountId, notice: "password_changed" });
  await deadLetterOf(jobs);
  await database.db.deleteFrom("accounts").where("id", "=", accountId).execute();
  expect(await jobs.deadLetters(undefined, 10)).toEqual([]);

  await sendLastTime(jobs, { accountId, notice: "password_changed" });
  await eventually(async () => {
    const { rows } = await database.pool.query("select 1 from jobs.job");
    expect(rows).toEqual([]);
  });
  expect(await jobs.deadLetters(undefined, 10)).toEqual([]);
});

test("a clock that was set back by days holds up no letter, whether it waits or its worker died", async () => {
  const sent: string[] = [];
  const first = await open(async () => undefined);
  await first.stop();
  for (const notice of ["waits", "held"]) await first.send("letter", { accountId: "", notice });
  const days = "interval '5 days'";
  await database.pool.query(`update jobs.job set start_after = start_after + ${days}`);
  await database.pool.query(
    `update jobs.job set state = 'active', started_on = now() + ${days}, heartbeat_on = now() + ${days}
     where data ->> 'notice' = 'held'`,
  );
  await database.pool.query(
    `update jobs.queue set monitor_claim_on = now() + ${days}, monitor_on = now() + ${days}`,
  );

  await open(async ({ notice }) => void sent.push(notice));
  await eventually(() => expect(sent).toEqual(["waits"]));
  await database.pool.query(
    "update jobs.job set heartbeat_on = heartbeat_on - interval '1 minute' where state = 'active'",
  );
  await eventually(() => expect(sent).toEqual(["waits", "held"]));
});
