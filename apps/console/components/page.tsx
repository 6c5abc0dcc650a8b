import { Link, type LinkProps } from "@tanstack/react-router";
import { ChevronLeft, CloudOff, type LucideIcon } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { hasNavigated } from "../navigation.ts";
import { explain } from "../problems.ts";
import { Button } from "./button.tsx";

interface PageTitleProps {
  readonly title: string;
  readonly lead?: ReactNode;
  /** What stands beside the title, such as the page's main button. */
  readonly actions?: ReactNode;
  /** The page above. */
  readonly up?: { readonly label: string; readonly link: LinkProps };
  /** The page took the place of another one without a navigation: it begins at its top like any other. */
  readonly isNext?: boolean;
}

/** The heading of a page: takes the focus after a navigation, and names the browser's tab. */
export function PageTitle({ title, lead, actions, up, isNext = false }: PageTitleProps) {
  const heading = useFocusOnArrival(isNext);
  useEffect(() => {
    document.title = `${title} · SecureWave`;
  }, [title]);
  return (
    <header className="mb-7">
      {up && (
        <Link
          {...up.link}
          className="-ml-1 mb-2 inline-flex min-h-8 items-center gap-1 rounded-sm pr-2 text-muted text-sm hover:text-ink"
        >
          <ChevronLeft className="size-4" aria-hidden="true" />
          {up.label}
        </Link>
      )}
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-4">
        <div className="min-w-0 max-w-prose">
          <h1 ref={heading} tabIndex={-1} className="break-words font-semibold text-2xl">
            {title}
          </h1>
          {lead !== undefined && <p className="mt-1.5 text-muted">{lead}</p>}
        </div>
        {actions !== undefined && (
          <div className="flex flex-wrap gap-3 max-sm:w-full max-sm:*:grow">{actions}</div>
        )}
      </div>
    </header>
  );
}

/** Gives the focus to a heading when its page was reached by a link, so that screen readers read on from there. */
export function useFocusOnArrival(isNext = false) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (isNext) window.scrollTo(0, 0);
    if (isNext || hasNavigated()) heading.current?.focus({ preventScroll: true });
  }, [isNext]);
  return heading;
}

export function Card({ children, className = "p-5 sm:p-6" }: { children: ReactNode; className?: string }) {
  return (
    <div className={`rounded-lg border border-line bg-surface shadow-card ${className}`}>{children}</div>
  );
}

/** A titled part of a page. */
export function Section({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  return (
    <section className="grid gap-x-10 gap-y-4 border-line border-t py-7 first:border-t-0 first:pt-0 lg:grid-cols-[14rem_1fr]">
      <div>
        <h2 className="font-semibold">{title}</h2>
        {lead !== undefined && <p className="mt-1 text-muted text-sm">{lead}</p>}
      </div>
      <div className="min-w-0">{children}</div>
    </section>
  );
}

interface EmptyStateProps {
  readonly icon: LucideIcon;
  readonly title: string;
  readonly children: ReactNode;
  readonly action?: ReactNode;
}

export function EmptyState({ icon: Icon, title, children, action }: EmptyStateProps) {
  return (
    <div className="grid justify-items-center gap-4 rounded-lg border border-line border-dashed px-6 py-14 text-center">
      <span className="grid size-12 place-items-center rounded-full bg-accent-soft text-accent">
        <Icon className="size-5.5" aria-hidden="true" />
      </span>
      <div className="grid max-w-md gap-1">
        <h2 className="font-semibold text-lg">{title}</h2>
        <div className="text-muted">{children}</div>
      </div>
      {action}
    </div>
  );
}

export function ErrorState({ error, onRetry }: { error: unknown; onRetry: () => unknown }) {
  return (
    <div
      role="alert"
      className="grid justify-items-center gap-4 rounded-lg border border-line px-6 py-12 text-center"
    >
      <span className="grid size-12 place-items-center rounded-full bg-bad-soft text-bad">
        <CloudOff className="size-5.5" aria-hidden="true" />
      </span>
      <div>
        <p className="font-semibold">This could not be loaded</p>
        <p className="text-muted">{explain(error)}</p>
      </div>
      <Button onClick={() => onRetry()}>Try again</Button>
    </div>
  );
}

/** Stands where rows will stand. */
export function SkeletonRows({ count = 4, label }: { count?: number; label: string }) {
  return (
    <div role="status" className="grid gap-px overflow-hidden rounded-lg border border-line bg-line">
      <span className="sr-only">{label}</span>
      {Array.from({ length: count }, (_, row) => `row${row}`).map((row) => (
        <div key={row} className="flex items-center gap-4 bg-surface p-4.5">
          <div className="size-10 animate-breathe rounded-md bg-sunken" />
          <div className="grid grow gap-2">
            <div className="h-3.5 w-2/5 max-w-44 animate-breathe rounded-sm bg-sunken" />
            <div className="h-3 w-3/5 max-w-64 animate-breathe rounded-sm bg-sunken" />
          </div>
        </div>
      ))}
    </div>
  );
}

interface MoreProps {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  readonly fetchNextPage: () => unknown;
}

export function MoreButton({ list }: { list: MoreProps }) {
  if (!list.hasNextPage) return null;
  return (
    <div className="mt-4 flex justify-center">
      <Button isPending={list.isFetchingNextPage} onClick={() => list.fetchNextPage()}>
        Show more
      </Button>
    </div>
  );
}
