import { openTestDatabase } from "@securewave/database/testing";
import { createManualClock, type ManualClock } from "@securewave/foundation";
import { eventually } from "@securewave/testing/eventually";
import { afterAll, afterEach, expect, onTestFinished, test, vi } from "vitest";
import { createJobs, type JobContext, type Jobs, type Run } from "./index.ts";

const DAY_SECONDS = 86_400;
const database = await openTestDatabase();
const opened: Jobs[] = [];
afterEach(async () => {
  for (const jobs of opened.splice(0)) await jobs.stop();
  await database.truncateAll();
});
afterAll(() => database.close());

/** One replica with one job, at six in the morning. */
async function open(
  run: Run<object>,
  { cron, clock = morning() }: { cron?: string; clock?: ManualClock } = {},
) {
  const failures: unknown[] = [];
  const jobs = createJobs(database, (_, error) => void failures.push(error), {
    clock,
    pollSeconds: 0.1,
    leaseSeconds: 2,
  });
  opened.push(jobs);
  jobs.define("tidy", run, cron === undefined ? { isSingle: true } : { cron });
  await jobs.start();
  await eventually(async () => expect(await stateCount()).toBe(1));
  const view = async () => {
    const [found] = await jobs.list();
    if (found === undefined) throw new Error("the job is listed");
    return found;
  };
  return { jobs, clock, failures, view };
}

const morning = () => createManualClock(Date.UTC(2026, 10, 22, 6, 0, 0));

async function stateCount(): Promise<number> {
  return (await database.pool.query("select name from job_states")).rows.length;
}

/** Long enough for every worker to look twice. */
const twoLooks = () => new Promise((resolve) => setTimeout(resolve, 400));

test("a job runs when its time comes, once among replicas, and shows when it did and when it will", async () => {
  let runs = 0;
  const run = async () => void runs++;
  const { clock, view } = await open(run, { cron: "30 6 * * *" });
  await open(run, { cron: "30 6 * * *", clock });
  await twoLooks();
  expect(runs).toBe(0);
  expect(await view()).toMatchObject({
    state: "idle",
    lastRun: null,
    nextAt: new Date("2026-11-22T06:30:00Z"),
  });

  clock.advanceSeconds(1_805);
  await eventually(async () => expect((await view()).lastRun?.result).toBe("succeeded"));
  await twoLooks();
  expect(runs).toBe(1);
  expect(await view()).toMatchObject({
    state: "idle",
    lastRun: { startedAt: new Date("2026-11-22T06:30:05Z"), cause: "clock", attempt: 1, code: null },
    succeededAt: new Date("2026-11-22T06:30:05Z"),
    nextAt: new Date("2026-11-23T06:30:00Z"),
    isOverdue: false,
  });
});

test("a clock that jumps by days, forth and back, runs nothing a hundred times and stops nothing", async () => {
  let runs = 0;
  const { clock, view } = await open(async () => void runs++, { cron: "* * * * *" });
  clock.advanceSeconds(5 * DAY_SECONDS);
  await eventually(async () => expect((await view()).lastRun?.result).toBe("succeeded"));
  await twoLooks();
  expect(runs).toBe(1);

  clock.advanceSeconds(-12 * DAY_SECONDS);
  await twoLooks();
  expect(runs).toBe(1);
  expect((await view()).nextAt).toEqual(new Date("2026-11-15T06:01:00Z"));
  clock.advanceSeconds(60);
  await eventually(() => expect(runs).toBe(2));
});

test("a worker whose machine is a day ahead writes down when it was by the database's clock", async () => {
  const machineMs = Date.now;
  const ahead = vi.spyOn(Date, "now").mockImplementation(() => machineMs() + DAY_SECONDS * 1000);
  onTestFinished(() => ahead.mockRestore());
  let isGood = true;
  const { jobs } = await open(
    async () => {
      if (!isGood) throw new Error("no");
    },
    { cron: "30 6 * * *", clock: { ...morning(), now: () => Date.now() } },
  );
  const awayHours = (instant: Date | null | undefined) =>
    Math.round(Math.abs((instant?.getTime() ?? 0) - machineMs()) / 3_600_000);
  await jobs.runNow("tidy");
  await eventually(async () => expect((await jobs.history("tidy"))[0]?.result).toBe("succeeded"));
  const state = async () =>
    (await database.pool.query("select succeeded_at, retry_at from job_states")).rows[0];
  expect(awayHours((await state()).succeeded_at)).toBe(0);
  isGood = false;
  await jobs.runNow("tidy");
  await eventually(async () => expect((await jobs.history("tidy"))[0]?.result).toBe("failed"));
  expect(awayHours((await state()).retry_at)).toBe(0);
});

test("what failed is tried again later and later, and given up at last; its next time is then as always", async () => {
  const finals: boolean[] = [];
  const { clock, view, failures, jobs } = await open(
    async (_, { isFinal }) => {
      finals.push(isFinal);
      throw Object.assign(new Error("to anna@example.org"), { code: "ECONNREFUSED" });
    },
    { cron: "30 6 * * *" },
  );
  clock.advanceSeconds(1_800);
  await eventually(async () => expect((await view()).state).toBe("retrying"));
  expect((await view()).nextAt).toEqual(new Date("2026-11-22T06:30:05Z"));
  await twoLooks();
  expect(finals).toHaveLength(1); // not before its time

  for (let attempt = 2; attempt <= 9; attempt++) {
    clock.advanceSeconds(3_600);
    await eventually(() => expect(finals).toHaveLength(attempt));
    await eventually(async () => expect((await view()).state).not.toBe("running"));
  }
  expect(finals).toEqual([...Array.from({ length: 8 }, () => false), true]);
  expect(failures).toHaveLength(9);
  const { state, isOverdue, lastRun, nextAt } = await view();
  expect({ state, isOverdue, attempt: lastRun?.attempt }).toEqual({
    state: "idle",
    isOverdue: true,
    attempt: 9,
  });
  expect(nextAt).toEqual(new Date("2026-11-23T06:30:00Z"));
  const history = await jobs.history("tidy");
  expect(history.map(({ attempt }) => attempt)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
  expect(new Set(history.map(({ result, code }) => `${result} ${code}`))).toEqual(
    new Set(["failed ECONNREFUSED"]),
  );
  const { rows } = await database.pool.query("select * from job_runs, job_states");
  expect(JSON.stringify(rows)).not.toContain("anna");
});

test("staff have it run now, see how far it is, and cannot have it twice", async () => {
  let context: JobContext | undefined;
  let finish = () => {};
  const { jobs, view } = await open(async (_, given) => {
    context = given;
    given.progress(3, 10, "tables");
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
  });
  expect(await jobs.runNow("nothing-like-it")).toBe("unknown");
  expect(await jobs.runNow("tidy")).toBe("asked");
  await eventually(async () =>
    expect(await view()).toMatchObject({
      state: "running",
      progress: { done: 3, total: 10, what: "tables" },
    }),
  );
  expect(await jobs.runNow("tidy")).toBe("running");
  expect(context).toMatchObject({ isFinal: false });
  finish();
  await eventually(async () =>
    expect(await view()).toMatchObject({ state: "idle", progress: null, lastRun: { cause: "staff" } }),
  );
});

test("what is asked for while it runs is done once more afterwards, exactly if the transaction commits", async () => {
  let runs = 0;
  let finish = () => {};
  const { jobs } = await open(async () => {
    runs++;
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
  });
  await jobs.send("tidy", {});
  await eventually(() => expect(runs).toBe(1));
  await database.transaction((trx) => jobs.send("tidy", {}, trx));
  await database
    .transaction(async (trx) => {
      await jobs.send("tidy", {}, trx);
      throw new Error("no");
    })
    .catch(() => {});
  finish();
  await eventually(() => expect(runs).toBe(2));
  finish();
  await twoLooks();
  expect(runs).toBe(2);
});

test("a run that a person's act asked for leaves no time behind", async () => {
  let runs = 0;
  const { jobs, view } = await open(async () => void runs++);
  await jobs.send("tidy", {});
  await eventually(() => expect(runs).toBe(1));
  await eventually(async () => expect((await view()).state).toBe("idle"));
  expect(await view()).toMatchObject({ lastRun: null, succeededAt: null });
  expect(await jobs.history("tidy")).toEqual([]);
});

test("what a person's act asks for beside a run of the clock, or while that is tried again, leaves no time either", async () => {
  let runs = 0;
  let finish = (_isGood: boolean) => {};
  const { clock, jobs, view } = await open(
    async () => {
      runs++;
      const isGood = await new Promise<boolean>((resolve) => {
        finish = resolve;
      });
      if (!isGood) throw new Error("not yet");
    },
    { cron: "30 6 * * *" },
  );
  clock.advanceSeconds(1_800);
  await eventually(() => expect(runs).toBe(1));
  await jobs.send("tidy", {}); // beside it
  finish(false);
  await eventually(async () => expect((await view()).state).toBe("retrying"));
  await jobs.send("tidy", {}); // while it waits
  await twoLooks();
  expect(runs).toBe(1);

  clock.advanceSeconds(5);
  await eventually(() => expect(runs).toBe(2));
  await jobs.send("tidy", {});
  finish(true);
  await eventually(() => expect(runs).toBe(3));
  finish(true);
  await eventually(async () => expect((await view()).state).toBe("idle"));
  expect((await jobs.history("tidy")).map(({ result, cause }) => `${result} ${cause}`)).toEqual([
    "succeeded clock",
    "failed clock",
  ]);
  expect((await view()).isOverdue).toBe(false);
});

test("at the service's end a run is told, and another replica does it", async () => {
  const told: unknown[] = [];
  const first = await open(async (_, { signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    told.push(signal.reason);
    throw new Error("not done");
  });
  await first.jobs.runNow("tidy");
  await eventually(async () => expect((await first.view()).state).toBe("running"));
  await first.jobs.stop();
  expect(told).toHaveLength(1);
  expect(first.failures).toEqual([]);

  let runs = 0;
  const second = await open(async () => void runs++);
  await eventually(() => expect(runs).toBe(1));
  await eventually(async () => expect((await second.view()).state).toBe("idle"));
  expect((await second.jobs.history("tidy")).map(({ result }) => result)).toEqual([
    "succeeded",
    "interrupted",
  ]);
});

test("a run whose lease another has taken is told, and says nothing any more", async () => {
  let signal: AbortSignal | undefined;
  const { jobs } = await open(async (_, context) => {
    signal = context.signal;
    await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
  });
  await jobs.runNow("tidy");
  await eventually(() => expect(signal).toBeDefined());
  await database.pool.query("update job_states set holder = 'another', beats = beats + 1");
  await eventually(() => expect(signal?.aborted).toBe(true));
  const { rows } = await database.pool.query("select holder, requests_done from job_states");
  expect(rows).toEqual([{ holder: "another", requests_done: 0 }]);
});

test("a job that ends its worker each time is given up, too", async () => {
  let runs = 0;
  const { jobs, view } = await open(async () => void runs++);
  await database.pool.query(
    "update job_states set holder = 'dead', beats = 7, attempts = 8, requests = 1, cause = 'clock'",
  );
  await eventually(async () => expect((await view()).state).toBe("idle"));
  expect(runs).toBe(0);
  expect(await jobs.history("tidy")).toMatchObject([{ result: "failed", code: "interrupted", attempt: 10 }]);
});
