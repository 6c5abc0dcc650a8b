import { randomUUID } from "node:crypto";
import { type Database, notify } from "@securewave/database";

/** What processes tell each other. Acts of people, of nodes and of the clock only: nothing that happens in a tunnel may come here. */
export interface Messages {
  /** Id of a node whose desired state has changed. */
  readonly "node-changed": string;
  /** Id of a node that has connected, `/`, and the random id of its connection. */
  readonly "node-connected": string;
  /** Id of a node whose connection was taken over while somebody still answered there. */
  readonly "node-displaced": string;
  /** Id of an account or a session whose log-ins must be looked at again; `EVERYBODY` for all of them. */
  readonly "sessions-changed": string;
  /** Hash of a refresh token that was just rotated, in hex. */
  readonly "refresh-rotated": string;
  /** What was rotated: `signing` or `encryption`. */
  readonly "keys-changed": string;
  /** Id of an account that has another plan; `all` when the plans themselves were changed. */
  readonly "plans-changed": string;
  /** Keys of erased accounts are to be destroyed in every process that has a copy; says nothing more. */
  readonly "keys-erased": string;
  /** By the clock, once a day. */
  readonly "ledger-rewritten": string;
  /** The registry of nodes or the settings were changed. */
  readonly "registry-changed": string;
}

/** In place of an id: all that there are. */
export const EVERYBODY = "all";

export type Topic = keyof Messages;

/** Tells all processes of the service, this one first and at once. */
export interface Bus {
  publish(topic: Topic, payload: string): void;
  /** `missed` is called when messages of other processes may have been lost. */
  subscribe(topic: Topic, heard: (payload: string) => void, missed?: () => void): void;
  start(): Promise<void>;
}

const CHANNEL = "securewave";
/** All processes hear these in one order: the one that publishes hears its own when it is its turn. */
const IN_ORDER: ReadonlySet<string> = new Set<Topic>(["node-connected"]);

/**
 * In one process on the embedded store; over LISTEN/NOTIFY where other processes share a PostgreSQL.
 *
 * @param onError hears when another process could not be told; subscribers must also check now and then
 */
export function createBus(database: Database, onError: (error: unknown) => void): Bus {
  const self = randomUUID();
  const handlers = new Map<Topic, Set<(payload: string) => void>>();
  const gapHandlers = new Set<() => void>();
  const isShared = database.kind === "postgres";

  function deliver(topic: Topic, payload: string): void {
    for (const heard of handlers.get(topic) ?? []) heard(payload);
  }

  return {
    publish(topic, payload) {
      if (!isShared || !IN_ORDER.has(topic)) deliver(topic, payload);
      if (isShared) notify(database.db, CHANNEL, [self, topic, payload].join(" ")).catch(onError);
    },
    subscribe(topic, heard, missed) {
      handlers.set(topic, (handlers.get(topic) ?? new Set()).add(heard));
      if (missed) gapHandlers.add(missed);
    },
    async start() {
      if (!isShared) return;
      await database.listen(CHANNEL, {
        onMessage(message) {
          const [sender, topic, payload] = message.split(" ");
          if (!topic || payload === undefined) return;
          if (sender !== self || IN_ORDER.has(topic)) deliver(topic as Topic, payload);
        },
        onGap() {
          for (const missed of gapHandlers) missed();
        },
      });
    },
  };
}
