/**
 * Takes alerts from Alertmanager and posts them to a Teams workflow, which takes cards in a form that Alertmanager does
 * not write. `node packages/monitoring/teams-bridge.ts <file with the workflow's URL> [host:port]`
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { parseWebhookMessage, teamsCardOf } from "./teams-card.ts";

const LISTENS_AT = "127.0.0.1:9095";
const SECONDS_MAX = 10;
const BYTES_MAX = 1_048_576;

const [urlFile, place = LISTENS_AT] = process.argv.slice(2);
if (urlFile === undefined) {
  process.stderr.write("Which file holds the URL of the Teams workflow?\n");
  process.exit(2);
}
await readUrl().catch((error: NodeJS.ErrnoException) => {
  process.stderr.write(
    `The file with the URL of the Teams workflow cannot be read (${error.code}): ${urlFile}\n`,
  );
  process.exit(1);
});
const { hostname, port } = new URL(`http://${place}`);

/** Read each time: the URL is a secret that is changed now and then. */
async function readUrl(): Promise<string> {
  return (await readFile(urlFile ?? "", "utf8")).trim();
}

async function post(card: object): Promise<boolean> {
  const answer = await fetch(await readUrl(), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(card),
    redirect: "error",
    signal: AbortSignal.timeout(SECONDS_MAX * 1000),
  });
  return answer.ok;
}

const server = createServer(async (request, response) => {
  const answer = (status: number) => response.writeHead(status).end();
  if (request.method !== "POST" || request.url !== "/alerts") return answer(404);
  if (Number(request.headers["content-length"] ?? BYTES_MAX + 1) > BYTES_MAX) return answer(413);
  const message = parseWebhookMessage(await text(request).catch(() => ""));
  if (message === undefined) return answer(400);
  // Alertmanager tries again after a 5xx.
  return answer((await post(teamsCardOf(message)).catch(() => false)) ? 200 : 502);
});
server.listen(Number(port), hostname, () => {
  const address = server.address();
  const bound = typeof address === "object" && address !== null ? address.port : port;
  process.stdout.write(`listening on ${hostname}:${bound}\n`);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(0));
