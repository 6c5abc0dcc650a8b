import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { createRecentMap } from "../credentials/index.ts";
import type { Step } from "../step.ts";
import { canonicalAddress, networkOf } from "./address.ts";
import type { DayKeys } from "./day-keys.ts";

/** Where a request comes from. */
export interface Origin {
  /** The client's address in canonical form; lives as long as the request. Never logged, stored or sent anywhere. */
  readonly address: string;
  /** What limits and blocks count: IPv4 address or IPv6 /64, hashed under the day's key. 12 bytes in base64url. */
  readonly tag: string;
  /** The same under yesterday's key, so that a block outlives midnight. */
  readonly previousTag: string;
}

declare module "fastify" {
  interface FastifyRequest {
    origin: Origin;
  }
}

const TAG_BYTES = 12;
const REMEMBERED_MAX = 20_000;
/** Stands for every address that cannot be read, so that made-up ones count as one origin. RFC 7239 §6.2 */
const UNKNOWN = "unknown";

/** Gives addresses their pseudonyms of the day. Those seen lately are kept in memory, until the day ends. */
export function createOrigins(dayKeys: DayKeys): (address: string) => Origin {
  const known = createRecentMap<string, Origin>(REMEMBERED_MAX);
  let keys = dayKeys.read();
  let secrets = secretsOf(keys);

  function make(seen: string): Origin {
    const network = networkOf(seen) ?? UNKNOWN;
    return {
      address: canonicalAddress(seen) ?? UNKNOWN,
      tag: tagOf(secrets.current, network),
      previousTag: tagOf(secrets.previous, network),
    };
  }

  return (seen) => {
    const latest = dayKeys.read();
    if (latest !== keys) {
      keys = latest;
      secrets = secretsOf(keys);
      known.clear();
    }
    const found = known.get(seen);
    if (found) return found;
    const origin = make(seen);
    known.set(origin.address === UNKNOWN ? UNKNOWN : copyOf(seen), origin);
    return origin;
  };
}

/** Bytes would be imported anew for each address, which costs four times the hash itself. */
function secretsOf({ current, previous }: ReturnType<DayKeys["read"]>) {
  return { current: createSecretKey(current), previous: createSecretKey(previous) };
}

function tagOf(key: KeyObject, network: string): string {
  return createHmac("sha256", key).update(network).digest().toString("base64url", 0, TAG_BYTES);
}

/** A part of a header, kept, keeps the whole header in memory; a copy does not. */
function copyOf(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** Says of each request where it comes from; the server's `trustProxy` tells whose word on that counts. */
export function createOriginStep(originOf: (address: string) => Origin): Step {
  return (request) => {
    // A connection that is closed, or that came over a Unix socket, has no address.
    request.origin = originOf(request.ip ?? UNKNOWN);
  };
}
