import { useEffect, useState } from "react";

/** Seconds left of a span that began when the component was first shown; stops at 0. */
export function useCountdown(seconds: number): number {
  const [endsAtMs] = useState(() => performance.now() + seconds * 1000);
  const [leftSeconds, setLeftSeconds] = useState(seconds);

  useEffect(() => {
    const timer = setInterval(() => {
      const left = Math.max(0, (endsAtMs - performance.now()) / 1000);
      setLeftSeconds(left);
      if (left === 0) clearInterval(timer);
    }, 250);
    return () => clearInterval(timer);
  }, [endsAtMs]);

  return leftSeconds;
}
