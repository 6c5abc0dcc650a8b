import { invariant } from "@securewave/foundation";
import type { Jobs } from "@securewave/jobs";

/** Jobs that run when the scripted clock says so, one after another, and never by the machine's. */
export interface ScriptedJobs {
  readonly create: () => Jobs;
  /** All that was ever queued, by name: each would be a row. */
  readonly sent: readonly string[];
  /** Runs what is queued, and what is due at a minute of the scripted clock. */
  runDue(nowMs: number): Promise<void>;
}

interface Definition {
  readonly run: (data: object) => Promise<void>;
  readonly cron: string | undefined;
}

export function createScriptedJobs(): ScriptedJobs {
  const definitions = new Map<string, Definition>();
  const sent: string[] = [];
  const queue: { name: string; data: object }[] = [];

  async function runQueued(): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await definitions.get(next.name)?.run(next.data);
    }
  }

  return {
    sent,
    create: () => ({
      define(name, run, { cron } = {}) {
        definitions.set(name, { run: run as (data: object) => Promise<void>, cron });
      },
      async send(name, data) {
        sent.push(name);
        queue.push({ name, data });
      },
      start: async () => undefined,
      stop: async () => undefined,
    }),
    async runDue(nowMs) {
      await runQueued();
      for (const { cron, run } of definitions.values())
        if (cron && isDue(cron, new Date(nowMs))) await run({});
      await runQueued();
    },
  };
}

/** Whether a cron expression of numbers and stars names this minute, in UTC. */
export function isDue(cron: string, at: Date): boolean {
  const fields = cron.split(" ");
  const now = [at.getUTCMinutes(), at.getUTCHours(), at.getUTCDate(), at.getUTCMonth() + 1, at.getUTCDay()];
  return fields.every((field, index) => {
    invariant(/^(\*|\d+)$/.test(field), "the service's cron expressions have numbers and stars only");
    return field === "*" || Number(field) === now[index];
  });
}
