import type { Job } from "@securewave/contracts";
import { formatShare } from "../../format.ts";

/** How far a job is that runs; moving without a figure where it does not tell. */
export function JobProgress({ job: { name, progress } }: { job: Pick<Job, "name" | "progress"> }) {
  const share = progress && progress.total > 0 ? progress.done / progress.total : undefined;
  return (
    <div className="grid min-w-32 gap-1 text-muted text-xs">
      <progress
        aria-label={`Progress of ${name}`}
        max={1}
        {...(share === undefined ? {} : { value: share })}
        className="h-1.5 w-full appearance-none overflow-hidden rounded-full border-none bg-line [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-line [&::-webkit-progress-value]:bg-accent"
      />
      <span className="figures">
        {share === undefined ? "Runs" : formatShare(share)}
        {progress?.what != null && `, ${progress.what}`}
      </span>
    </div>
  );
}
