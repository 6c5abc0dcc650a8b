/** The program of `serveHttp`: arguments are address, port and body. */
import { createServer } from "node:http";

const [address, port, body] = process.argv.slice(2);
const server = createServer((request, response) => {
  const visitor = request.socket.remoteAddress?.replace(/^::ffff:/, "");
  process.stdout.write(`visitor ${visitor}\n`);
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.setHeader("connection", "close");
  response.end(body);
});
server.listen(Number(port), address, () => process.stdout.write("listening\n"));
