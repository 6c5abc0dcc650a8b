import { formatCountdown, formatSpan } from "../format.ts";
import { explain, pauseOf } from "../problems.ts";
import { useCountdown } from "../use-countdown.ts";

/** What went wrong, and for how long to wait where the service says so. */
export function ProblemText({ error }: { error: unknown }) {
  const pauseSeconds = pauseOf(error);
  return (
    <>
      {explain(error)}
      {pauseSeconds !== undefined && pauseSeconds > 0 && <Pause seconds={pauseSeconds} />}
    </>
  );
}

/** Screen readers are told once and not each second. */
function Pause({ seconds }: { seconds: number }) {
  const leftSeconds = useCountdown(seconds);
  return (
    <>
      <span className="sr-only"> Try again in {formatSpan(seconds)}.</span>
      <span aria-hidden="true" className="figures block font-medium">
        {leftSeconds > 0 ? `Try again in ${formatCountdown(leftSeconds)}` : "You can try again."}
      </span>
    </>
  );
}
