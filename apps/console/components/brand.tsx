import { useQuery } from "@tanstack/react-query";
import { serviceQuery } from "../queries.ts";

/** A porthole half under water. */
export function Mark({ className = "size-6" }: { className?: string }) {
  return (
    <svg viewBox="0 0 24 24" className={className} aria-hidden="true">
      <circle cx="12" cy="12" r="10.75" fill="none" stroke="currentColor" strokeWidth="1.75" />
      <path fill="currentColor" d="M3.9 12.3c2.7-3.9 5.4-3.9 8.1 0s5.4 3.9 8.1 0a8.1 8.1 0 0 1-16.2 0Z" />
    </svg>
  );
}

/** The mark and the name that the operator gave the service. */
export function Wordmark() {
  const service = useQuery(serviceQuery);
  return (
    <span className="inline-flex min-w-0 items-center gap-2.5">
      <Mark className="size-6 shrink-0 text-accent" />
      <span className="truncate font-semibold text-lg tracking-tight">
        {service.data?.name ?? "SecureWave"}
      </span>
    </span>
  );
}

/**
 * A connection as a wave: it runs while there is one, and lies flat while there is none. Always beside words that say
 * the same.
 */
export function Wave({ isRunning, className = "" }: { isRunning: boolean; className?: string }) {
  return (
    <svg viewBox="0 0 32 12" className={`h-3 w-8 shrink-0 overflow-hidden ${className}`} aria-hidden="true">
      {isRunning ? (
        <path
          className="animate-drift"
          d="M-1 6q4-7 8 0t8 0 8 0 8 0 8 0 8 0 8 0"
          fill="none"
          stroke="currentColor"
          strokeWidth="2"
        />
      ) : (
        <path d="M1 6h30" fill="none" stroke="currentColor" strokeWidth="2" strokeDasharray="2 3" />
      )}
    </svg>
  );
}

const SWELL = Array.from({ length: 15 }, (_, row) => {
  const y = 30 + row * 24 + row * row * 1.1;
  const height = 4 + row * 3.1;
  const shift = (row * 37) % 120;
  return `M${-240 + shift} ${y}q60 ${-height} 120 0t120 0 120 0 120 0 120 0 120 0 120 0 120 0`;
});

/** Lines of a swell that comes nearer; decoration of the pages before the log-in. */
export function Swell({ className }: { className: string }) {
  return (
    <svg
      viewBox="0 0 560 600"
      preserveAspectRatio="xMidYMax slice"
      className={className}
      fill="none"
      stroke="currentColor"
      aria-hidden="true"
    >
      {SWELL.map((path, row) => (
        <path key={path} d={path} strokeWidth={0.75 + row * 0.07} opacity={0.12 + row * 0.045} />
      ))}
    </svg>
  );
}
