import { resolve } from "node:path";
import { canonicalAllowedIp, type Pool, parseAddress, parsePool } from "@securewave/wireguard";

/** A host name of the forms that browsers name, in lower case, with or without a `*.` in front. */
const HOST_PATTERN = /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

export function parseWord(word: string): string | undefined {
  return /^[A-Za-z0-9.:_-]+$/.test(word) ? word : undefined;
}

export function parsePath(path: string): string | undefined {
  return path.length > 0 && !path.includes("\0") ? resolve(path) : undefined;
}

/** A scheme, a host and at most a port. */
export function isOrigin(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, pathname, search, hash } = new URL(url);
  return /^https?:$/.test(protocol) && pathname === "/" && search === "" && hash === "";
}

/** An http or https URL, at most with a query and a fragment. */
export function isWebAddress(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** An origin as browsers send it: `https://app.example.org`, or with `*.` for all names below. */
export function parseOriginPattern(text: string): string | undefined {
  const [, scheme, host = "", port = ""] =
    /^(https?):\/\/([^/:]+)(:\d{1,5})?$/.exec(text.toLowerCase()) ?? [];
  return scheme !== undefined && HOST_PATTERN.test(host) ? `${scheme}://${host}${port}` : undefined;
}

/** A host of the `Host` header without its port: a name, `*.` and a name, or an address. */
export function parseHostPattern(text: string): string | undefined {
  const host = text.toLowerCase();
  return HOST_PATTERN.test(host) || parseAddress(host) !== undefined ? host : undefined;
}

/** An address or a network, in canonical text. */
export function parseNetwork(text: string): string | undefined {
  return canonicalAllowedIp(text);
}

/** Where a list of networks is: an https URL, or the path of a file. */
export function parseListPlace(text: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return parsePath(text);
  return URL.canParse(text) && new URL(text).protocol === "https:" ? new URL(text).href : undefined;
}

/** Minutes since midnight. */
export function parseMinuteOfDay(text: string): number | undefined {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes);
}

/** An http or https URL without a log-in in it. */
export function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === "" && password === "";
}

/** What secrets travel over: https, or http that does not leave this machine. */
export function isConfidentialUrl(text: string): boolean {
  return isHttpUrl(text) && (text.startsWith("https:") || isLoopback(new URL(text).hostname));
}

function isLoopback(host: string): boolean {
  return /^(localhost|127\.[\d.]+|\[::1\])$/.test(host);
}

export function poolOf(network: string, family: 4 | 6): Pool | undefined {
  const pool = parsePool(network);
  const [narrowest, widest] = family === 4 ? [29, 8] : [108, 8];
  if (!pool || pool.family !== family || pool.prefixLength > narrowest || pool.prefixLength < widest)
    return undefined;
  return pool;
}

export function addressesOf(list: string): readonly string[] | undefined {
  if (list === "none") return [];
  const addresses = list.split(",").map((address) => address.trim());
  return addresses.every((address) => parseAddress(address) !== undefined) ? addresses : undefined;
}

export function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new TypeError("a default is not of its own range");
  return value;
}
