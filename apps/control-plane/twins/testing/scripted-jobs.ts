import { invariant } from "@securewave/foundation";
import { createJobs, type JobContext, type Jobs, type Run } from "@securewave/jobs";

/** Jobs that run when the scripted clock says so, one after another, and never by the machine's. */
export interface ScriptedJobs {
  readonly create: (...given: Parameters<typeof createJobs>) => Jobs;
  /** All that was ever queued, by name: each would be a row. */
  readonly sent: readonly string[];
  /** Runs what is queued, and what is due at a minute of the scripted clock. */
  runDue(nowMs: number): Promise<void>;
}

interface Definition {
  readonly run: Run<object>;
  readonly cron: string | undefined;
}

const CONTEXT: JobContext = { signal: new AbortController().signal, progress() {}, isFinal: false };

export function createScriptedJobs(): ScriptedJobs {
  const definitions = new Map<string, Definition>();
  const sent: string[] = [];
  const queue: { name: string; data: object }[] = [];

  async function runQueued(): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await definitions.get(next.name)?.run(next.data, CONTEXT);
    }
  }

  return {
    sent,
    create: (...given) => ({
      ...createJobs(...given),
      define(name, run, { cron } = {}) {
        definitions.set(name, { run: run as Run<object>, cron });
      },
      async send(name, data) {
        sent.push(name);
        queue.push({ name, data });
      },
      start: async () => undefined,
    }),
    async runDue(nowMs) {
      await runQueued();
      for (const { cron, run } of definitions.values())
        if (cron && isDue(cron, new Date(nowMs))) await run({}, CONTEXT);
      await runQueued();
    },
  };
}

/** Whether a cron expression of stars, steps, numbers and lists of them names this minute, in UTC. */
export function isDue(cron: string, at: Date): boolean {
  const fields = cron.split(" ");
  const now = [at.getUTCMinutes(), at.getUTCHours(), at.getUTCDate(), at.getUTCMonth() + 1, at.getUTCDay()];
  return fields.every((field, index) => names(field, now[index] ?? Number.NaN));
}

function names(field: string, value: number): boolean {
  invariant(/^(\*(\/\d+)?|\d+(,\d+)*)$/.test(field), `the service's cron expressions have no ${field}`);
  if (field.startsWith("*")) return value % Number(field.slice(2) || 1) === 0;
  return field.split(",").some((listed) => Number(listed) === value);
}
