import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess } from "./processes.ts";
import { joinSockets } from "./sockets.ts";
import { temporaryDir } from "./temporary.ts";

export interface PortForward {
  /** The port on 127.0.0.1 of this process's namespace. */
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Opens a port on 127.0.0.1 that leads to a TCP port inside a namespace, so that a test or a browser outside
 * reaches a server there.
 *
 * The way is a Unix socket, since files are shared between namespaces where networks are not.
 */
export async function forwardPort(
  namespace: string,
  target: { host: string; port: number },
): Promise<PortForward> {
  const dir = temporaryDir("forward");
  const socketPath = join(dir.path, "socket");
  const script = fileURLToPath(new URL("./port-forward-process.ts", import.meta.url));
  const inside = await startProcess({
    command: process.execPath,
    args: [script, socketPath, target.host, String(target.port)],
    namespace,
    readyWhen: /^listening$/,
  });
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (outer) => {
    joinSockets(outer, connect({ path: socketPath, allowHalfOpen: true }), open);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no TCP port");
  return {
    port: address.port,
    close: async () => {
      server.close();
      for (const socket of open) socket.destroy();
      await inside.stop();
      dir.remove();
    },
  };
}
