import type { ReactNode } from "react";

/** Leads to the privacy policy, in a page of its own; mere text until it is known where that is. */
export function PolicyLink({
  url,
  children,
}: {
  readonly url: string | undefined;
  readonly children: ReactNode;
}) {
  if (url === undefined) return children;
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
