/** The inner half of `forwardPort`: arguments are the Unix socket's path and the target's host and port. */
import { connect, createServer } from "node:net";
import { joinSockets } from "./sockets.ts";

const [socketPath, host, port] = process.argv.slice(2);
const server = createServer({ allowHalfOpen: true }, (outer) => {
  joinSockets(outer, connect({ host: host ?? "", port: Number(port), allowHalfOpen: true }));
});
server.listen(socketPath, () => process.stdout.write("listening\n"));
