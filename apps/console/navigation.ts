let navigated = false;

/** Whether the page shown was reached inside the console, in contrast to having been opened. */
export function hasNavigated(): boolean {
  return navigated;
}

export function noteNavigation(): void {
  navigated = true;
}

/**
 * Takes a one-time token out of the fragment (`#token=…`), where it reaches no server log, and clears it from the
 * address bar and from the history.
 */
export function takeFragmentToken(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? undefined;
  if (token !== undefined) history.replaceState(history.state, "", location.pathname + location.search);
  return token;
}
