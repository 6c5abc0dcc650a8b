/** A worker: the least that an HTTP server in Node can do, one fixed answer. Posts its port when it listens. */
import { createServer } from "node:http";
import { parentPort, workerData } from "node:worker_threads";

const server = createServer((_, response) =>
  response.writeHead(200, { "content-type": "text/plain" }).end(workerData),
);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address !== "string") parentPort?.postMessage(address.port);
});
