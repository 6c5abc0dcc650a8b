import { setTimeout as pause } from "node:timers/promises";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import type { Client, Job, JobRun } from "@securewave/contracts";
import { scheduleWords } from "@securewave/contracts/schedule-words";
import { SECOND_MS } from "@securewave/foundation";
import type { Call, Perform } from "../call.ts";
import { CliError, EXIT, type ExitCode } from "../failure.ts";
import { counted, humanDuration, timeText } from "../human.ts";
import type { Column, Output } from "../output.ts";
import { createProgress } from "../progress.ts";
import { addDeadLetterCommands } from "./dead-letters.ts";

const ASKS_EVERY_MS = 500;
const UNDER_A_MINUTE_MS = 60_000;

export function addJobCommands(program: CommandUnknownOpts, perform: Perform): void {
  const jobs = program
    .command("jobs")
    .description("what the service does by itself, and what it could not do; for admins");
  addListCommand(jobs, perform);
  addShowCommand(jobs, perform);
  addRunCommand(jobs, perform);
  addDeadLetterCommands(jobs, perform);
}

function addListCommand(jobs: CommandUnknownOpts, perform: Perform): void {
  jobs
    .command("list")
    .description("list the jobs with their last runs and their next; exit code 1 where one is overdue")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave jobs list
  $ securewave jobs list --json`,
    )
    .action(() =>
      perform(async ({ client, out, nowMs }) => {
        const { items } = await (await client()).jobs.list();
        out.result({ items }, () => {
          const overdue = items.filter(({ is_overdue }) => is_overdue).length;
          const end = overdue === 0 ? "" : `, ${out.style("red", `${overdue} overdue`)}`;
          return `${out.table(jobColumns(nowMs), items)}\n\n${counted(items.length, "job")}${end}`;
        });
        const dead = items.reduce((sum, job) => sum + job.dead, 0);
        if (dead > 0) out.note(`${counted(dead, "dead letter")}: see them by \`securewave jobs dead\`.`);
        return items.some(({ is_overdue }) => is_overdue) ? EXIT.failed : undefined;
      }),
    );
}

function addShowCommand(jobs: CommandUnknownOpts, perform: Perform): void {
  jobs
    .command("show")
    .description("show a job and its last 50 runs")
    .argument("<job>", "its name, such as clean-up")
    .addHelpText(
      "after",
      `
Jobs that people's acts queue have no history: it would tell when somebody did something.

Examples:
  $ securewave jobs show clean-up
  $ securewave jobs show clean-up --json`,
    )
    .action((name) =>
      perform(async ({ client, out }) => {
        const job = await (await client()).jobs.get({ params: { name } });
        out.result(job, () => jobText(out, job));
        return undefined;
      }),
    );
}

function addRunCommand(jobs: CommandUnknownOpts, perform: Perform): void {
  jobs
    .command("run")
    .description("have a job of the clock run now")
    .argument("<job>", "its name, such as clean-up")
    .option("-w, --wait", "wait until it has ended, and show how far it is; exit code 1 where it failed")
    .addHelpText(
      "after",
      `
Examples:
  $ securewave jobs run audit-checkpoint
  $ securewave jobs run back-up --wait`,
    )
    .action((name, { wait = false }) =>
      perform(async (call) => {
        const api = await call.client();
        const params = { name };
        const former = (await api.jobs.get({ params })).runs[0];
        const started = await api.jobs.run({ params });
        if (!wait) {
          call.out.result(started, () => `${name} runs as soon as a worker is free.`);
          call.out.note(`See what comes of it: securewave jobs show ${name}`);
          return undefined;
        }
        const run = await follow(call, api, name, former);
        call.out.result(run, () => `${name} ${endText(run)}.`);
        return exitOf(run);
      }),
    );
}

/** Shows how far a job is until it has a run that it did not have before, and that has ended. */
async function follow(call: Call, api: Client, name: string, former: JobRun | undefined): Promise<JobRun> {
  const bar = createProgress(call, name);
  try {
    for (;;) {
      const { state, progress, runs } = await api.jobs.get({ params: { name } });
      const [run] = runs;
      const isNew = run !== undefined && JSON.stringify(run) !== JSON.stringify(former);
      if (isNew && run.result !== "running" && state !== "running" && state !== "waiting") return run;
      if (!isNew && state === "idle")
        throw new CliError("cli.job_without_run", `${name} has ended, and its history does not say how.`, {
          next: "The service's log says more: look for job_failed.",
        });
      bar.show(progress && progress.total > 0 ? progress.done / progress.total : 0);
      await pause(ASKS_EVERY_MS);
    }
  } finally {
    bar.end();
  }
}

function exitOf({ result }: JobRun): ExitCode | undefined {
  return result === "succeeded" ? undefined : EXIT.failed;
}

function endText({ result, code, duration_ms, attempt }: JobRun): string {
  const time = duration_ms === null ? "" : ` after ${milliseconds(duration_ms)}`;
  if (result === "succeeded") return `is done${time}`;
  const why = code === null ? "" : ` (${code})`;
  return `${result === "failed" ? "failed" : "was interrupted"}${time}${why}, attempt ${attempt}`;
}

function jobColumns(nowMs: number): Column<Job>[] {
  return [
    { title: "JOB", value: ({ name }) => name, style: () => "bold", isWhole: true },
    { title: "WHEN", value: whenText },
    {
      title: "STATE",
      value: stateText,
      style: ({ is_overdue, state, dead }) => {
        if (is_overdue || dead > 0) return "red";
        return state === "retrying" ? "yellow" : state === "running" ? "cyan" : undefined;
      },
    },
    { title: "LAST RUN", value: ({ last_run }) => (last_run ? timeOf(last_run.started_at) : "") },
    { title: "RESULT", value: ({ last_run }) => last_run?.result ?? "", style: resultStyle },
    { title: "TOOK", value: ({ last_run }) => milliseconds(last_run?.duration_ms ?? null), align: "right" },
    { title: "NEXT", value: ({ next_at }) => nextText(next_at, nowMs), align: "right" },
  ];
}

function resultStyle({ last_run }: Job) {
  if (last_run === null) return undefined;
  return last_run.result === "failed" ? "red" : last_run.result === "succeeded" ? "green" : "yellow";
}

function whenText({ kind, schedule }: Job): string {
  if (schedule !== null) return scheduleWords(schedule);
  return kind === "queued" ? "when asked for" : "when staff ask";
}

function stateText({ kind, state, progress, is_overdue, waiting, retrying, dead }: Job): string {
  if (kind === "queued") {
    const parts = [
      waiting > 0 ? `${waiting}+ waiting` : "",
      retrying > 0 ? `${retrying} retrying` : "",
      dead > 0 ? `${dead} dead` : "",
    ].filter((part) => part !== "");
    return parts.join(", ") || "idle";
  }
  const share =
    progress && progress.total > 0 ? ` ${Math.floor((100 * progress.done) / progress.total)} %` : "";
  return `${state}${share}${is_overdue ? ", overdue" : ""}`;
}

function nextText(nextAt: string | null, nowMs: number): string {
  if (nextAt === null) return "";
  const seconds = (Date.parse(nextAt) - nowMs) / SECOND_MS;
  return seconds <= 0 ? "now" : `in ${humanDuration(seconds)}`;
}

/** To the second: `2026-11-20 03:17:02`. */
function timeOf(instant: string): string {
  return timeText(instant.replace(/\.\d+/, ""));
}

function milliseconds(duration: number | null): string {
  if (duration === null) return "";
  if (duration < UNDER_A_MINUTE_MS) return `${(duration / SECOND_MS).toFixed(1)} s`;
  return humanDuration(duration / SECOND_MS);
}

function jobText(out: Output, job: Awaited<ReturnType<Client["jobs"]["get"]>>): string {
  const facts = out.fields([
    ["Job", job.name],
    ["Does", job.what],
    ["When", whenText(job)],
    ["State", stateText(job)],
    ["Last success", job.succeeded_at === null ? undefined : `${timeOf(job.succeeded_at)} UTC`],
    ["Next", job.next_at === null ? undefined : `${timeOf(job.next_at)} UTC`],
  ]);
  if (job.runs.length === 0) return facts;
  const columns: Column<JobRun>[] = [
    { title: "STARTED (UTC)", value: ({ started_at }) => timeOf(started_at) },
    { title: "BY", value: ({ cause }) => (cause === "clock" ? "the clock" : "staff") },
    { title: "ATTEMPT", value: ({ attempt }) => String(attempt), align: "right" },
    {
      title: "RESULT",
      value: ({ result }) => result,
      style: (run) => resultStyle({ ...job, last_run: run }),
    },
    { title: "TOOK", value: ({ duration_ms }) => milliseconds(duration_ms), align: "right" },
    { title: "CODE", value: ({ code }) => code ?? "" },
  ];
  return `${facts}\n\n${out.table(columns, job.runs)}`;
}
