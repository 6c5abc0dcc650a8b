import type { BackupRun } from "@securewave/contracts";
import { useId } from "react";
import { Notice } from "../../components/state.tsx";
import { formatMoment, formatShare, plural } from "../../format.ts";
import { ACT_WORDS } from "./words.ts";

/** The work that goes on, or how the last one ended. */
export function Running({ run }: { run: BackupRun }) {
  const id = useId();
  if (run.state === "running")
    return (
      <div role="status" className="mb-7 grid gap-2 rounded-lg bg-accent-soft p-4 text-sm">
        <p id={id}>
          <strong className="font-semibold">{ACT_WORDS[run.act]}</strong>: {run.doing},{" "}
          <span className="figures">{formatShare(run.share)}</span>
        </p>
        <progress
          aria-labelledby={id}
          max={1}
          value={run.share}
          className="h-1.5 w-full appearance-none overflow-hidden rounded-full border-none bg-line [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-line [&::-webkit-progress-value]:bg-accent"
        />
      </div>
    );
  if (run.state === "failed")
    return (
      <div className="mb-7">
        <Notice
          tone="bad"
          title={`${ACT_WORDS[run.act]} failed, ${formatMoment(run.ended_at ?? run.begun_at)}`}
        >
          {run.problem ?? "The service's log says why."}
        </Notice>
      </div>
    );
  return (
    <p role="status" className="mb-7 text-muted text-sm">
      {ACT_WORDS[run.act]} ended well, {formatMoment(run.ended_at ?? run.begun_at)}
      {run.act === "back_up" && `: ${plural(run.succeeded, "backup")} made`}
      {run.act === "clean_up" && `: ${plural(run.succeeded, "backup")} removed`}
    </p>
  );
}
