import type { Job } from "@securewave/contracts";
import { Play } from "lucide-react";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { notify, notifyError } from "../../components/toast.tsx";
import { queryClient } from "../../queries.ts";
import { JOBS_KEY } from "./queries.ts";

/** Has a job run now; nothing for those that bring data of their own. */
export function RunButton({ job: { name, kind, state } }: { job: Pick<Job, "name" | "kind" | "state"> }) {
  const [isPending, setPending] = useState(false);
  if (kind === "queued") return null;

  async function run(): Promise<void> {
    setPending(true);
    try {
      await client.jobs.run({ params: { name } });
      notify(`${name} runs as soon as a worker is free.`);
    } catch (error) {
      notifyError(error);
    } finally {
      await queryClient.invalidateQueries(JOBS_KEY);
      setPending(false);
    }
  }

  return (
    <Button
      size="small"
      icon={Play}
      isPending={isPending || state === "running" || state === "waiting"}
      onClick={run}
      aria-label={`Run now: ${name}`}
    >
      Run now
    </Button>
  );
}
