import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type Database, openDatabase } from "@securewave/database";
import { invariant } from "@securewave/foundation";

/** A way to the database that can be cut and mended, as a network is. */
export interface DatabaseProxy {
  readonly database: Database;
  /** Breaks every connection and takes no further ones. */
  cut(): void;
  mend(): void;
}

/** @param url of a server on a Unix socket (`?host=/folder`) or on TCP */
export async function openDatabaseProxy(url: string): Promise<DatabaseProxy> {
  const real = new URL(url);
  const folder = real.searchParams.get("host");
  const port = Number(real.port || 5432);
  const target = folder ? { path: `${folder}/.s.PGSQL.${port}` } : { host: real.hostname, port };
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const upstream = connect(target);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  invariant(address !== null && typeof address === "object", "a TCP server has a port");
  const proxied = new URL(url);
  proxied.search = "";
  proxied.hostname = "127.0.0.1";
  proxied.port = String(address.port);
  const database = await openDatabase({ url: proxied.href, poolMax: 5, statementTimeoutMs: 5_000 });
  return {
    database: {
      ...database,
      async close() {
        await database.close();
        for (const socket of sockets) socket.destroy();
        server.close();
      },
    },
    cut() {
      isCut = true;
      for (const socket of sockets) socket.destroy();
    },
    mend() {
      isCut = false;
    },
  };
}
