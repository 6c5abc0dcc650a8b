import type { ReactNode } from "react";

/** A list whose entries stand under each other in one frame. */
export function Rows({ label, children }: { label: string; children: ReactNode }) {
  return (
    <ul
      aria-label={label}
      className="overflow-hidden rounded-lg border border-line bg-surface shadow-card *:border-line *:border-t *:first:border-t-0"
    >
      {children}
    </ul>
  );
}

interface RowProps {
  readonly title: ReactNode;
  readonly detail: ReactNode;
  readonly actions: ReactNode;
  /** Dialogs that the actions open. */
  readonly children?: ReactNode;
}

export function Row({ title, detail, actions, children }: RowProps) {
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-3 p-4 sm:px-5">
      <div className="wrap-anywhere min-w-0 grow basis-56">
        <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1 font-semibold">{title}</div>
        <div className="text-muted text-sm">{detail}</div>
      </div>
      <div className="flex flex-wrap gap-2">{actions}</div>
      {children}
    </li>
  );
}
