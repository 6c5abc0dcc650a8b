import { useEffect, useSyncExternalStore } from "react";
import { session } from "./api.ts";

/** Where the reader says to be, for distances to servers: in this page's memory, and nowhere else. */
export interface Whereabouts {
  /** ISO 3166-1 alpha-2; undefined when it is not said. */
  readonly country: string | undefined;
  /** By the browser's time zone, until the reader says something else; undefined while that is looked up. */
  readonly isGuessed: boolean | undefined;
}

const UNKNOWN: Whereabouts = { country: undefined, isGuessed: undefined };

let present = UNKNOWN;
const listeners = new Set<() => void>();

export const whereabouts = (): Whereabouts => present;

export function chooseCountry(country: string | undefined): void {
  change({ country, isGuessed: false });
}

/** Guesses where nothing is known yet. */
export function useWhereabouts(): Whereabouts {
  const known = useSyncExternalStore(subscribe, whereabouts);
  const isUnknown = known === UNKNOWN;
  useEffect(() => {
    if (isUnknown) void guess();
  }, [isUnknown]);
  return known;
}

async function guess(): Promise<void> {
  const country = await import("./country-of-time-zone.ts").then(
    ({ countryOfTimeZone }) => countryOfTimeZone(new Intl.DateTimeFormat().resolvedOptions().timeZone),
    () => undefined,
  );
  if (present === UNKNOWN) change({ country, isGuessed: country !== undefined });
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function change(next: Whereabouts): void {
  present = next;
  for (const listener of listeners) listener();
}

// The next one to log in here is asked anew.
session.subscribe(() => {
  if (session.state().status !== "loggedIn" && present !== UNKNOWN) change(UNKNOWN);
});
