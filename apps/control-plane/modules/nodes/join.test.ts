import { generateKeyPairSync } from "node:crypto";
import { LOW_ORDER_POINTS } from "@securewave/wireguard";
import { generateKeyPair } from "@securewave/wireguard/native-keys";
import { afterAll, expect, test } from "vitest";
import { codeOf, openTestApp, useJoinToken } from "../../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());
let count = 0;

async function register() {
  const admin = await service.admin();
  return admin.client.nodes.create({ body: { name: `Node-${++count}`, region: "Nowhere" } });
}

function joinWith(change: object) {
  const body = {
    token: "",
    credential: generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }).x ?? "",
    wireguard_public_key: String(generateKeyPair().publicKey),
    endpoint: { host: "vpn.example.org", port: 51820 },
    agent_version: "1.0.0",
    ...change,
  };
  return codeOf(service.client().nodes.join({ body }));
}

test("a node joins with its token and is then known by its keys and endpoint", async () => {
  const admin = await service.admin();
  const { node, join } = await register();
  expect(node).toMatchObject({
    state: "joining",
    endpoint: null,
    public_key: null,
    joined_on: null,
    devices: 0,
  });
  expect(join).toMatchObject({
    expires_in: 3600,
    join_token: expect.stringMatching(/^swj_[\w-]{43}\.[\w-]{22}$/),
  });
  expect(join.command).toContain(join.join_token);
  const identity = await useJoinToken(service, join.join_token, { host: "203.0.113.7" });
  expect(identity).toMatchObject({ id: node.id, name: node.name });
  const joined = await admin.client.nodes.show({ params: { id: node.id } });
  expect(joined).toMatchObject({
    state: "offline",
    endpoint: { host: "203.0.113.7", port: 51820 },
    public_key: identity.publicKey,
    applied_revision: null,
  });
});

test("a join token works once, also when two use it at the same time", async () => {
  const { join } = await register();
  const codes = await Promise.all([1, 2, 3].map(() => joinWith({ token: join.join_token })));
  expect(codes.sort()).toEqual(["nodes.join_token_invalid", "nodes.join_token_invalid", "ok"]);
  expect(await joinWith({ token: join.join_token })).toBe("nodes.join_token_invalid");
});

test("a join token ends after an hour", async () => {
  const [one, two] = [await register(), await register()];
  service.clock.advanceSeconds(3599);
  expect(await joinWith({ token: one.join.join_token })).toBe("ok");
  service.clock.advanceSeconds(1);
  expect(await joinWith({ token: two.join.join_token })).toBe("nodes.join_token_invalid");
});

test("a token of another service, cut, changed or made up is refused", async () => {
  const other = await openTestApp();
  const admin = await other.admin();
  const { join } = await admin.client.nodes.create({ body: { name: "There", region: "Elsewhere" } });
  await other.close();
  const own = (await register()).join.join_token;
  const [secret, fingerprint] = own.split(".");
  const foreign = join.join_token.split(".");
  const tokens = [
    join.join_token,
    `${foreign[0]}.${fingerprint}`,
    `${secret}.${foreign[1]}`,
    secret,
    `${own}x`,
    "swj_",
    "x",
  ];
  for (const token of tokens) expect(await joinWith({ token })).toBe("nodes.join_token_invalid");
  expect(await joinWith({ token: own })).toBe("ok");
});

test("a refused join leaves the token as it was", async () => {
  const first = await useJoinToken(service, (await register()).join.join_token);
  const token = (await register()).join.join_token;
  expect(await joinWith({ token, wireguard_public_key: LOW_ORDER_POINTS[1] })).toBe("nodes.invalid_key");
  expect(await joinWith({ token, wireguard_public_key: first.publicKey })).toBe("nodes.key_in_use");
  expect(await joinWith({ token, credential: "short" })).toBe("request.invalid");
  for (const host of [
    "a..b",
    "-a",
    "a-",
    "1.2.3",
    "300.1.1.1",
    ":::",
    "1:2",
    "a b",
    "a\nb",
    `${"x".repeat(64)}.org`,
    "",
  ]) {
    expect(await joinWith({ token, endpoint: { host, port: 51820 } }), host).toBe("request.invalid");
  }
  expect(await joinWith({ token })).toBe("ok");
});

test("a fresh token replaces the one before it, and joining with it replaces the credential", async () => {
  const admin = await service.admin();
  const { node, join } = await register();
  const params = { id: node.id };
  const second = await admin.client.nodes.renewJoinToken({ params });
  expect(await joinWith({ token: join.join_token })).toBe("nodes.join_token_invalid");
  const before = await useJoinToken(service, second.join_token);
  const third = await admin.client.nodes.renewJoinToken({ params });
  const after = await useJoinToken(service, third.join_token);
  expect(after.id).toBe(before.id);
  expect((await admin.client.nodes.show({ params })).public_key).toBe(after.publicKey);
});

test("no secret of a join stands in the table", async () => {
  const { join } = await register();
  const { rows } = await service.database.pool.query("select * from nodes");
  const secret = join.join_token.split(".")[0]?.slice(4) ?? "";
  expect(JSON.stringify(rows)).not.toContain(secret);
  expect(Buffer.concat(rows.map((row) => row.join_token_hash ?? Buffer.alloc(0))).includes(secret)).toBe(
    false,
  );
});

test("names are unique; what an admin changes is shown", async () => {
  const admin = await service.admin();
  const [{ node }, other] = [await register(), await register()];
  const params = { id: node.id };
  const body = { name: other.node.name, region: "x" };
  expect(await codeOf(admin.client.nodes.create({ body }))).toBe("nodes.name_in_use");
  expect(await codeOf(admin.client.nodes.change({ params, body: { name: other.node.name } }))).toBe(
    "nodes.name_in_use",
  );
  const change = {
    name: "US-East-1",
    region: "Ashburn",
    latitude: 39.04,
    longitude: -77.49,
    capacity: 7,
    tags: ["fast", "ten-gig"],
  };
  expect(await admin.client.nodes.change({ params, body: change })).toMatchObject(change);
  expect((await admin.client.nodes.list({ query: { search: "ashburn" } })).items).toMatchObject([change]);
});

test("customers see the servers that have joined, and nothing of how they are run", async () => {
  const { client } = await service.person();
  const { node } = await register();
  const { items } = await client.servers.list({ query: { limit: 100 } });
  expect(items.length).toBeGreaterThan(0);
  expect(items.map(({ id }) => id)).not.toContain(node.id);
  expect(Object.keys(items[0] ?? {}).sort()).toEqual([
    "available",
    "distance_km",
    "id",
    "included",
    "latitude",
    "load",
    "longitude",
    "name",
    "region",
    "score",
  ]);
  expect(await codeOf(client.servers.status({ params: { id: node.id } }))).toBe("servers.not_found");
});
