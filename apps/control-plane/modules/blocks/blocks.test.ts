import { afterAll, expect, test } from "vitest";
import { codeOf, openTestApp } from "../../testing.ts";

const service = await openTestApp({
  settings: { TRUSTED_PROXIES: "127.0.0.1", RATE_LIMIT_IP: "20", AUTO_BLOCK_THRESHOLD: "5" },
});
afterAll(() => service.close());
const ask = (address: string) => service.send("/api/service", { headers: { "x-forwarded-for": address } });

test("a network that staff block is shut out at once, and let in when the block is lifted or over", async () => {
  const { client } = await service.person("support");
  const block = await client.blocks.add({ body: { network: "203.0.113.0/24", minutes: 10 } });
  expect(await ask("203.0.113.77")).toMatchObject({ status: 403, json: { code: "sentinel.blocked" } });
  expect((await ask("203.0.114.1")).status).toBe(200);
  expect((await client.blocks.list()).items).toEqual([block]);
  await client.blocks.lift({ params: { id: block.id } });
  expect((await ask("203.0.113.77")).status).toBe(200);
  expect(await codeOf(client.blocks.lift({ params: { id: block.id } }))).toBe("blocks.not_found");
  await client.blocks.add({ body: { network: "2001:db8::/32", minutes: 1 } });
  expect((await ask("2001:db8:1::1")).status).toBe(403);
  service.clock.advanceSeconds(61);
  expect((await ask("2001:db8:1::1")).status).toBe(200);
});

test("the list goes on where a page ended, though the last block of that page is lifted", async () => {
  const { client } = await service.person("support");
  const block = (network: string) => client.blocks.add({ body: { network, minutes: 10 } });
  const made = [
    await block("198.51.100.0/28"),
    await block("198.51.100.16/28"),
    await block("198.51.100.32/28"),
  ];
  const ids = new Set(made.map(({ id }) => id));
  const first = await client.blocks.list({ query: { limit: 1 } });
  await client.blocks.lift({ params: { id: first.items[0]?.id ?? "" } });
  const rest = await client.blocks.list({ query: { cursor: first.next_cursor ?? "" } });
  expect(new Set([...first.items, ...rest.items].map(({ id }) => id))).toEqual(ids);
  expect(first.items.length + rest.items.length).toBe(ids.size);
  for (const { id } of rest.items) await client.blocks.lift({ params: { id } });
});

test("nobody blocks themselves, and no text that is no network", async () => {
  const { client } = await service.person("support");
  expect(await codeOf(client.blocks.add({ body: { network: "127.0.0.0/8", minutes: 1 } }))).toBe(
    "blocks.would_lock_out",
  );
  expect(await codeOf(client.blocks.add({ body: { network: "example.org", minutes: 1 } }))).toBe(
    "blocks.wrong_network",
  );
});

test("who goes on after having been refused too often is blocked, and stands in the list without an address", async () => {
  const statuses = [];
  for (let request = 0; request < 40; request++) statuses.push((await ask("198.51.100.9")).status);
  expect([statuses[0], statuses[25], statuses.at(-1)]).toEqual([200, 429, 403]);
  const { client } = await service.person("support");
  const { items } = await client.blocks.list();
  const text = JSON.stringify(items);
  expect(items.some(({ reason }) => reason === "violations")).toBe(true);
  expect(text).not.toContain("198.51.100.9");
  expect((await ask("198.51.100.10")).status).toBe(200);
});

test("what stands in the trail of a block names neither network nor address", async () => {
  const { client, id } = await service.person("support");
  await client.blocks.add({ body: { network: "192.0.2.0/24", minutes: 5 } });
  await service.app.audit.sign();
  const { client: admin } = await service.admin();
  const { items } = await admin.audit.list({ query: { kind: "block_added", actor: id } });
  expect(items.map(({ body }) => body?.details)).toEqual([{ reason: "staff", minutes: 5 }]);
  expect(JSON.stringify(items)).not.toContain("192.0.2");
});

test("health is answered whoever asks, and however often", async () => {
  for (let request = 0; request < 30; request++) {
    const answer = await service.send("/api/health/live", { headers: { "x-forwarded-for": "100.64.0.9" } });
    expect(answer.status).toBe(200);
  }
});
