import type { ReactNode } from "react";

interface TableFrameProps {
  readonly label: string;
  readonly className?: string;
  readonly children: ReactNode;
}

/** Holds a table that may be larger than its place: it then scrolls, by the keyboard too. */
export function TableFrame({ label, className = "", children }: TableFrameProps) {
  return (
    <section
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
      tabIndex={0}
      aria-label={label}
      className={`relative overflow-auto rounded-lg border border-line bg-surface ${className}`}
    >
      {children}
    </section>
  );
}
