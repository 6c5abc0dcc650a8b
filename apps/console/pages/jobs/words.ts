import type { Job, JobRun } from "@securewave/contracts";
import { scheduleWords } from "@securewave/contracts/schedule-words";
import type { Tone } from "../../components/state.tsx";
import { formatSpan } from "../../format.ts";

export interface Shown {
  readonly tone: Tone;
  readonly word: string;
}

const STATES: Readonly<Record<Job["state"], Shown>> = {
  idle: { tone: "good", word: "Ready" },
  waiting: { tone: "waiting", word: "About to run" },
  retrying: { tone: "warn", word: "Will try again" },
  running: { tone: "waiting", word: "Running" },
};

const RESULTS: Readonly<Record<JobRun["result"], Shown>> = {
  running: { tone: "waiting", word: "Running" },
  succeeded: { tone: "good", word: "Succeeded" },
  failed: { tone: "bad", word: "Failed" },
  interrupted: { tone: "warn", word: "Interrupted" },
};

export function stateOf({ state, is_overdue }: Pick<Job, "state" | "is_overdue">): Shown {
  return is_overdue ? { tone: "bad", word: "Overdue" } : STATES[state];
}

export function resultOf({ result }: Pick<JobRun, "result">): Shown {
  return RESULTS[result];
}

export function whenOf({ kind, schedule }: Pick<Job, "kind" | "schedule">): string {
  if (schedule !== null) return scheduleWords(schedule);
  return kind === "queued" ? "when somebody's act asks for it" : "when staff ask";
}

/** `deletes what has expired` as a sentence. */
export function sentenceOf(what: string): string {
  return `${what.charAt(0).toUpperCase()}${what.slice(1)}.`;
}

/** How long a run took: `1.2 s`, `4 minutes`. */
export function tookOf(milliseconds: number | null): string {
  if (milliseconds === null) return "–";
  return milliseconds < 60_000 ? `${(milliseconds / 1000).toFixed(1)} s` : formatSpan(milliseconds / 1000);
}

/** When it runs next: `in 5 minutes`. */
export function nextOf(nextAt: string | null, nowMs: number): string {
  if (nextAt === null) return "–";
  const seconds = (Date.parse(nextAt) - nowMs) / 1000;
  return seconds <= 0 ? "now" : `in ${formatSpan(seconds)}`;
}
