import type { ReactNode } from "react";

/** Leads to the operator's privacy policy, in a page of its own; mere text where it is not said where that is. */
export function PolicyLink({ url, children }: { readonly url: string | null; readonly children: ReactNode }) {
  if (url === null) return children;
  return (
    <a
      href={url}
      target="_blank"
      rel="noreferrer"
      className="font-medium text-accent underline underline-offset-3"
    >
      {children}
    </a>
  );
}
