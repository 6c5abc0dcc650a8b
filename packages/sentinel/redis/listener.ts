import type { Redis } from "ioredis";
import { connectAgain, endOf } from "./connection.ts";

export interface Subscriber {
  readonly heard: (text: string) => void;
  /** Is called whenever it begins to hear, also again after the connection was lost: what was said meanwhile is missed. */
  readonly listening?: () => void;
}

/** The connection on which replicas hear each other. */
export interface Listener {
  subscribe(channel: string, subscriber: Subscriber): () => void;
  close(): Promise<void>;
}

const BEAT_MS = 2000;

/**
 * @param ownChannel on which this process sends itself a beat: a connection that looks open and brings none is dead
 * @param send publishes over the other connection, if that can be asked
 */
export function openListener(
  connection: Redis,
  ownChannel: string,
  send: (channel: string, text: string) => boolean,
): Listener {
  const subscribers = new Map<string, Set<Subscriber>>();
  let isClosed = false;
  let isBeatAwaited = false;

  async function listen(channels: readonly string[], to: readonly Subscriber[]): Promise<void> {
    try {
      await connection.subscribe(...channels);
      for (const { listening } of to) listening?.();
    } catch {
      if (connection.status === "ready") connection.disconnect(true);
    }
  }

  connection.on("error", () => undefined); // it closes too
  connection.on("ready", () => {
    isBeatAwaited = false;
    void listen(
      [ownChannel, ...subscribers.keys()],
      [...subscribers.values()].flatMap((each) => [...each]),
    );
  });
  connection.on("message", (channel: string, text: string) => {
    if (channel === ownChannel) isBeatAwaited = false;
    for (const { heard } of subscribers.get(channel) ?? []) heard(text);
  });
  connectAgain(connection, () => isClosed);

  const beating = setInterval(() => {
    if (connection.status !== "ready") return;
    if (isBeatAwaited) connection.disconnect(true);
    isBeatAwaited = !isBeatAwaited && send(ownChannel, "");
  }, BEAT_MS);
  beating.unref();

  return {
    subscribe(channel, subscriber) {
      const others = subscribers.get(channel) ?? new Set();
      subscribers.set(channel, others.add(subscriber));
      if (connection.status === "ready") void listen([channel], [subscriber]);
      return () => {
        others.delete(subscriber);
      };
    },
    async close() {
      isClosed = true;
      clearInterval(beating);
      await endOf(connection);
    },
  };
}
