/**
 * What agents are held against: a server that only takes WebSockets, and clients that only open them, each with the
 * pauses between attempts that agents have. Started by `fleet-bare.ts` as one or the other.
 */
import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { retryAfterMs } from "../apps/node-agent/connection.ts";
import { steadyMs } from "./statistics.ts";

const [role, port = "", count = "0"] = process.argv.slice(2);
const HANDSHAKE_TIMEOUT_MS = 10_000;

if (role === "server") serve();
else for (let client = 0; client < Number(count); client++) connect(0);
process.on("disconnect", () => process.exit());

function serve(): void {
  const server = createServer();
  new WebSocketServer({ server, perMessageDeflate: false });
  server.listen(Number(port), "127.0.0.1", () => process.send?.(steadyMs()));
}

function connect(failures: number): void {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, {
    perMessageDeflate: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });
  let hasOpened = false;
  socket.on("open", () => {
    hasOpened = true;
    process.send?.(steadyMs());
  });
  socket.on("error", () => undefined);
  socket.on("close", () => {
    const lost = hasOpened ? 0 : failures;
    setTimeout(
      connect,
      retryAfterMs({ failures: lost, refusal: undefined, random: Math.random() }),
      lost + 1,
    );
  });
}
