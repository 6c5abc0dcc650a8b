import type { ReactNode } from "react";

interface TermsProps {
  readonly lines: readonly (readonly [term: string, text: string])[];
  /** Lines that hold more than text. */
  readonly children?: ReactNode;
}

/** What is what, a line each. */
export function Terms({ lines, children }: TermsProps) {
  return (
    <dl className="grid grid-cols-[fit-content(45%)_minmax(0,1fr)] gap-x-8 gap-y-2.5">
      {lines.map(([term, text]) => (
        <div key={term} className="contents">
          <dt className="text-muted">{term}</dt>
          <dd className="figures">{text}</dd>
        </div>
      ))}
      {children}
    </dl>
  );
}
