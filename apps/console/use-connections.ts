import type { Connection } from "@securewave/contracts";
import { useEffect, useState } from "react";
import { client } from "./api.ts";
import { watchConnections } from "./watch-connections.ts";

/** A connection and when this page heard of it, on the clock of `performance.now()`. */
export interface HeardConnection extends Connection {
  readonly heardAtMs: number;
}

export interface LiveConnections {
  /** Undefined before the first word, true while the stream runs, false while it is being opened again. */
  readonly isLive: boolean | undefined;
  readonly byDevice: ReadonlyMap<string, HeardConnection>;
}

/** Follows one's own connections for as long as the component is shown. */
export function useConnections(): LiveConnections {
  const [isLive, setLive] = useState<boolean>();
  const [byDevice, setByDevice] = useState<ReadonlyMap<string, HeardConnection>>(new Map());

  useEffect(() => {
    const stop = new AbortController();
    void watchConnections({
      open: (signal) => client.devices.watch({ signal }),
      signal: stop.signal,
      onLive: setLive,
      onConnections: (connections) => {
        const heardAtMs = performance.now();
        setByDevice((before) => {
          const after = new Map(before);
          for (const connection of connections) after.set(connection.device_id, { ...connection, heardAtMs });
          return after;
        });
      },
    });
    return () => stop.abort();
  }, []);

  return { isLive, byDevice };
}

/** The handshake's age at this second, counted on from when it was heard. */
export function useHandshakeAge(connection: HeardConnection | Connection): number | undefined {
  const [nowMs, setNowMs] = useState(() => performance.now());
  const isCounting = connection.connected && connection.handshake_age_seconds !== null;

  useEffect(() => {
    if (!isCounting) return;
    const timer = setInterval(() => setNowMs(performance.now()), 1000);
    return () => clearInterval(timer);
  }, [isCounting]);

  if (connection.handshake_age_seconds === null || !connection.connected) return undefined;
  const heardAtMs = "heardAtMs" in connection ? connection.heardAtMs : nowMs;
  return connection.handshake_age_seconds + Math.max(0, (nowMs - heardAtMs) / 1000);
}
