/** Stands for this console's own address; the name is reserved never to exist. @see RFC 2606 §2 */
const HERE = "https://console.invalid";

/** Pages that somebody who has just logged in has no use for. */
const VISITOR_PAGES = ["/log-in", "/sign-up", "/forgot", "/reset", "/setup"];

/**
 * Reads a place to go to after the log-in from the address bar, where anybody can write: a path of this console, and
 * nothing that leads elsewhere.
 *
 * @returns the path with its search and fragment as a browser reads it, undefined when it is none
 */
export function parseOwnPath(value: unknown): string | undefined {
  if (typeof value !== "string" || !value.startsWith("/") || !URL.canParse(value, HERE)) return undefined;
  const { origin, pathname, search, hash } = new URL(value, HERE);
  // Taking out dots can leave two slashes in front: `/.//evil.example` names another host.
  if (origin !== HERE || pathname.startsWith("//")) return undefined;
  if (isBelow(pathname, "/api") || VISITOR_PAGES.some((page) => isBelow(pathname, page))) return undefined;
  return pathname + search + hash;
}

function isBelow(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}
