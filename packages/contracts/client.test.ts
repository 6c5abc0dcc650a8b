import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createClient } from "./client.ts";

/** A server that sends everybody on, or answers when there is nowhere to send to. */
async function listen(sendsTo?: string) {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    heard.push(request.url ?? "");
    if (sendsTo === undefined) response.writeHead(200, { "content-type": "application/json" }).end("{}");
    else response.writeHead(307, { location: sendsTo + request.url }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, heard, close: () => server.close() };
}

test("a redirection is not followed: passwords and tokens go nowhere else", async () => {
  const elsewhere = await listen();
  const service = await listen(elsewhere.url);
  const client = createClient({ baseUrl: service.url, token: () => "a token" });
  const body = { email: "anna@example.org", password: "correct horse battery" };
  await expect(client.sessions.logIn({ body })).rejects.toMatchObject({ code: "client.unreachable" });
  await expect(client.accounts.me()).rejects.toMatchObject({ code: "client.unreachable" });
  expect([service.heard.length, elsewhere.heard]).toEqual([2, []]);
  for (const { close } of [service, elsewhere]) close();
});
