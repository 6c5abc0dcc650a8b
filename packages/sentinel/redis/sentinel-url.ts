/** A Redis that is found by asking sentinels who leads. */
export interface SentinelPlaces {
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** Of the group, as in `sentinel monitor <name> …`. */
  readonly name: string;
  readonly isTls: boolean;
  readonly username: string | undefined;
  /** Of Redis and of the sentinels. */
  readonly password: string | undefined;
}

const SCHEME = /^redis(s?)\+sentinel:\/\//;
const PORT = 26_379;
const NAME = "mymaster";
const PLACE = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/i;

/** Whether a URL asks for sentinels; it may be wrong all the same. */
export function isSentinelUrl(url: string): boolean {
  return SCHEME.test(url);
}

/**
 * Reads `redis+sentinel://[[user]:password@]host[:port],host[:port][/name]`, or `rediss+sentinel://…` for TLS. The port is
 * 26379 and the name `mymaster` where there is none, as in Redis's own example.
 */
export function parseSentinelUrl(url: string): SentinelPlaces | undefined {
  const [scheme, secure] = SCHEME.exec(url) ?? [];
  if (scheme === undefined) return undefined;
  const [, login, places = "", name = NAME] =
    /^(?:([^@/]*)@)?([^@/]+)(?:\/([\w.-]+))?$/.exec(url.slice(scheme.length)) ?? [];
  const sentinels = places.split(",").map(parsePlace);
  if (sentinels.includes(undefined)) return undefined;
  try {
    const [, username, password] = /^([^:]*):(.*)$/.exec(login ?? ":") ?? [undefined, login, ""];
    return {
      sentinels: sentinels.filter((place) => place !== undefined),
      name,
      isTls: secure === "s",
      username: decodeURIComponent(username ?? "") || undefined,
      password: decodeURIComponent(password ?? "") || undefined,
    };
  } catch {
    return undefined; // a lone `%`
  }
}

function parsePlace(text: string): { host: string; port: number } | undefined {
  const [, host, port = String(PORT)] = PLACE.exec(text) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}
