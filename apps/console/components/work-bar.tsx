import { useId, useSyncExternalStore } from "react";
import { proofOfWork } from "../api.ts";

/** Stands in a form while the browser does the proof of work that the service asks for under attack. */
export function WorkBar() {
  const progress = useSyncExternalStore(proofOfWork.subscribe, proofOfWork.progress);
  const id = useId();
  return (
    <div role="status">
      {progress !== undefined && (
        <div className="grid gap-2 rounded-md bg-accent-soft p-3 text-sm">
          <p id={id}>
            <strong className="font-semibold">One moment.</strong> Much is going on at this service, so your
            browser shows with a little arithmetic that you are not a robot.
          </p>
          <progress
            aria-labelledby={id}
            max={1}
            value={progress}
            className="h-1.5 w-full appearance-none overflow-hidden rounded-full border-none bg-line [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-line [&::-webkit-progress-value]:bg-accent"
          />
        </div>
      )}
    </div>
  );
}
