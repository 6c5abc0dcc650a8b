const WILDCARD = /^(?<scheme>https?:\/\/)\*(?<domain>\.[^*]+)$/;
/** One or more labels of a host name. */
const NAMES_BELOW = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/**
 * Tells whether an `Origin` header is one of those listed: `https://panel.example.org`, or
 * `https://*.example.org` for every name below it, but not itself.
 *
 * @throws TypeError for what is no http or https origin
 */
export function createOriginMatcher(origins: readonly string[]): (origin: string) => boolean {
  const exact = new Set<string>();
  const wild: { readonly scheme: string; readonly domain: string }[] = [];
  for (const origin of origins) {
    const { scheme, domain } = WILDCARD.exec(origin)?.groups ?? {};
    if (scheme === undefined || domain === undefined) exact.add(asSent(origin));
    else wild.push({ scheme, domain: asSent(`${scheme}x${domain}`).slice(scheme.length + 1) });
  }
  return (origin) =>
    exact.has(origin) ||
    wild.some(
      ({ scheme, domain }) =>
        origin.startsWith(scheme) &&
        origin.endsWith(domain) &&
        NAMES_BELOW.test(origin.slice(scheme.length, -domain.length)),
    );
}

/** As browsers write it: in lower case, without the port that the scheme has anyway. */
function asSent(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin = url && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  if (!isOrigin || text.includes("*") || /[/?#]$/.test(text))
    throw new TypeError("an allowed origin is a scheme, a host and at most a port");
  return url.origin;
}
