import { Redis, type RedisOptions } from "ioredis";
import { parseSentinelUrl, type SentinelPlaces } from "./sentinel-url.ts";

const PATIENCE_MS = 50;
/** For what ioredis asks by itself, such as whether the server is ready. */
const COMMAND_TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 200;
const RETRY_MS = 200;

/**
 * Opens a connection on which nothing waits for a store that is away: a command fails at once or soon.
 *
 * @param waitMs how long it may take instead, for who asks before any request does
 */
export function connectTo(url: string, caPem: string | undefined, waitMs?: number): Redis {
  const options: RedisOptions = {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: waitMs ?? COMMAND_TIMEOUT_MS,
    connectTimeout: waitMs ?? CONNECT_TIMEOUT_MS,
    retryStrategy: () => RETRY_MS,
    autoResubscribe: false, // the listener does it, and hears whether it worked
    disableClientInfo: true,
    ...(caPem === undefined ? {} : { tls: { ca: caPem } }),
  };
  const places = parseSentinelUrl(url);
  return places === undefined
    ? new Redis(url, options)
    : new Redis({ ...options, ...bySentinels(places, caPem) });
}

/** Who leads is asked anew for each connection, of one sentinel after the other. */
function bySentinels(places: SentinelPlaces, caPem: string | undefined): RedisOptions {
  const { sentinels, name, isTls, username, password } = places;
  const tls = caPem === undefined ? {} : { ca: caPem };
  return {
    sentinels: [...sentinels],
    name,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password, sentinelPassword: password }),
    ...(isTls ? { tls, sentinelTLS: tls, enableTLSForSentinelMode: true } : {}),
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    sentinelRetryStrategy: () => null, // the connection ends, and is made again as any other
  };
}

/**
 * Waits for an answer. Where this process was busy for that long, answers that have arrived meanwhile are read
 * first: ioredis's own time-out runs before they are, and would take a busy process for a store that is away.
 *
 * @throws when there is none
 */
export function inTime<T>(answer: Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      setImmediate(() => reject(new Error("the shared store did not answer in time")));
    }, patienceMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** ioredis gives up for good where a connection ends before it began; this does not. */
export function connectAgain(connection: Redis, isClosed: () => boolean): void {
  connection.on("end", () => {
    if (isClosed()) return;
    setTimeout(() => {
      if (!isClosed()) connection.connect().catch(() => undefined);
    }, RETRY_MS).unref();
  });
}

/** Closes a connection without waiting for whoever is at its other end. */
export async function endOf(connection: Redis): Promise<void> {
  if (connection.status === "end" || connection.status === "reconnecting") {
    connection.disconnect(); // ends what waits to connect, and says nothing
    return;
  }
  const ended = new Promise<void>((resolve) => connection.once("end", resolve));
  connection.disconnect();
  connection.stream?.destroy();
  await ended;
}
