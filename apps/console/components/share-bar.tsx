interface ShareBarProps {
  /** From 0 to 1; more is drawn as 1. */
  readonly share: number;
  /** From here on it is drawn as a warning. Default: never. */
  readonly warnsFrom?: number;
}

/** How much of something is used, beside figures that say the same. */
export function ShareBar({ share, warnsFrom = Number.POSITIVE_INFINITY }: ShareBarProps) {
  return (
    <div aria-hidden="true" className="h-1.5 overflow-hidden rounded-full bg-line">
      <div
        className={`h-full rounded-full ${share > 0 ? "min-w-1" : ""} ${share >= warnsFrom ? "bg-warn" : "bg-accent"}`}
        style={{ width: `${Math.min(1, share) * 100}%` }}
      />
    </div>
  );
}
