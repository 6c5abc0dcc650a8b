import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";

const FIRST_DELAY_MS = 100;
/** Until it listens again, what changes reaches no node and no other replica. */
const DELAY_MAX_MS = 500;
/** A peer that vanished without a word is noticed after this long. */
const HEARTBEAT_MS = 30_000;

export interface ListenHandlers {
  onMessage(payload: string): void;
  /** Messages may have been missed: the connection was away. Called when it is back. */
  onGap(): void;
}

export interface Listener {
  /** @returns a function that ends the listening; resolves when PostgreSQL has taken the channel */
  listen(channel: string, handlers: ListenHandlers): Promise<() => void>;
  /** Goes over to a fresh connection; the present one hears on until that one listens. */
  move(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Listens on one connection of its own, which comes back after a loss.
 *
 * @param config asked anew for each connection
 */
export function createListener(config: () => pg.ClientConfig): Listener {
  const handlers = new Map<string, Set<ListenHandlers>>();
  let connecting: Promise<pg.Client> | undefined;
  /** The connection whose messages count. */
  let current: pg.Client | undefined;
  let isClosed = false;

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ ...config(), keepAlive: true, query_timeout: HEARTBEAT_MS });
    client.on("error", () => {}); // `end` follows
    client.on("notification", ({ channel, payload = "" }) => {
      if (client !== current) return;
      for (const handler of handlers.get(channel) ?? []) handler.onMessage(payload);
    });
    await client.connect();
    try {
      for (const channel of handlers.keys()) await client.query(`listen ${client.escapeIdentifier(channel)}`);
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    const heartbeat = setInterval(() => {
      client.query("select 1").catch(() => client.end().catch(() => {}));
    }, HEARTBEAT_MS);
    heartbeat.unref();
    client.once("end", () => {
      clearInterval(heartbeat);
      if (!isClosed && client === current) connecting = reconnect();
    });
    current = client;
    return client;
  };

  const reconnect = async (): Promise<pg.Client> => {
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, DELAY_MAX_MS)) {
      await sleep(delayMs * (0.5 + Math.random()), undefined, { ref: false });
      if (isClosed) throw new Error("the listener is closed");
      try {
        const client = await connect();
        tellOfGap();
        return client;
      } catch {
        // Tried again after a longer delay, for as long as it takes.
      }
    }
  };

  function tellOfGap(): void {
    for (const each of handlers.values()) for (const handler of each) handler.onGap();
  }

  return {
    async listen(channel, handler) {
      const known = handlers.get(channel) ?? new Set();
      handlers.set(channel, known.add(handler));
      connecting ??= connect().catch((error) => {
        connecting = undefined;
        throw error;
      });
      const client = await connecting;
      if (known.size === 1) await client.query(`listen ${client.escapeIdentifier(channel)}`);
      return () => void known.delete(handler);
    },
    async move() {
      const former = await connecting?.catch(() => undefined);
      if (former === undefined || isClosed) return;
      // Asked to listen meanwhile, it does so on the connection to come.
      connecting = connect().catch(reconnect);
      await connecting.catch(() => {});
      await former.end().catch(() => {});
      tellOfGap(); // what came between is heard by one of the two, but not surely by the one that counts
    },
    async close() {
      isClosed = true;
      handlers.clear();
      const client = await connecting?.catch(() => undefined);
      await client?.end().catch(() => {});
    },
  };
}
