import { lookup as lookUp } from "node:dns";
import { createReadStream } from "node:fs";
import { get as getByHttp, type IncomingMessage } from "node:http";
import { get as getByHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { isPublicAddress } from "./public-address.ts";

export interface SourceOptions {
  /**
   * Hosts of one's own, with their port where it is not the usual one: `lists.internal:8080`. They alone may be asked
   * by http, and may have addresses that are not public; only where a source names them, not where one leads on to.
   */
  readonly ownHosts?: readonly string[];
  /** For each source. */
  readonly bytesMax?: number;
  /** For each source that is a URL, from the first connection to the last byte. */
  readonly seconds?: number;
  /** Certificates to trust in place of the usual ones. */
  readonly ca?: string;
}

const BYTES_MAX = 128 * 1024 * 1024;
const SECONDS = 60;
const REDIRECTS_MAX = 5;

/**
 * Reads lists one after the other, each a path or an https URL. A URL leads nowhere but to public addresses, also
 * where its server sends on to others, and is read within a bound of bytes and time.
 *
 * @throws TypeError for what is neither; the error of the system or the network otherwise
 */
export async function* readLists(
  sources: readonly string[],
  options: SourceOptions = {},
): AsyncGenerator<string> {
  for (const source of sources) {
    const chunks = /^[a-z][a-z0-9+.-]*:\/\//i.test(source)
      ? await open(source, options)
      : createReadStream(source);
    let bytes = 0;
    const decoder = new TextDecoder();
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > (options.bytesMax ?? BYTES_MAX)) throw new RangeError("a list is larger than allowed");
      yield decoder.decode(chunk, { stream: true });
    }
    yield `${decoder.decode()}\n`;
  }
}

async function open(source: string, options: SourceOptions): Promise<IncomingMessage> {
  const signal = AbortSignal.timeout((options.seconds ?? SECONDS) * 1000);
  let url = new URL(source);
  let isOwn = options.ownHosts?.includes(url.host) ?? false;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
    const response = await ask(url, isOwn, signal, options.ca);
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) return response;
    response.destroy();
    const isMoved = [301, 302, 303, 307, 308].includes(statusCode);
    if (!isMoved || headers.location === undefined || !URL.canParse(headers.location, url.href))
      throw new Error(`a list's server answered ${statusCode}`);
    const next = new URL(headers.location, url);
    isOwn = isOwn && next.host === url.host;
    url = next;
  }
  throw new Error("a list's server sends on and on");
}

async function ask(
  url: URL,
  isOwn: boolean,
  signal: AbortSignal,
  ca: string | undefined,
): Promise<IncomingMessage> {
  if (url.protocol !== "https:" && !(isOwn && url.protocol === "http:"))
    throw new TypeError("a list is a path or an https URL");
  const isAllowed = (address: string) => isOwn || isPublicAddress(address);
  // Where a URL has an address in place of a name, nothing is looked up.
  const literal = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(literal) !== 0 && !isAllowed(literal)) throw notPublic();
  const get = url.protocol === "https:" ? getByHttps : getByHttp;
  return new Promise((resolve, reject) => {
    const settings = {
      lookup: guarded(isAllowed),
      signal,
      agent: false,
      ...(ca === undefined ? {} : { ca }),
    };
    get(url, settings, resolve).on("error", reject);
  });
}

/** The address that was checked is the one that is connected to, so a name cannot change its mind between. */
function guarded(isAllowed: (address: string) => boolean): LookupFunction {
  return (host, options, callback) => {
    lookUp(host, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "");
      if (addresses.length === 0 || !addresses.every(({ address }) => isAllowed(address)))
        return callback(notPublic(), "");
      return options.all
        ? callback(null, addresses)
        : callback(null, addresses[0]?.address ?? "", addresses[0]?.family);
    });
  };
}

function notPublic(): Error {
  return new Error("a list's URL leads to an address that is not public");
}
