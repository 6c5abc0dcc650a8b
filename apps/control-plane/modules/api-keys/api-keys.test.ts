import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOf, connectNode, openTestApp, PASSWORD, type Person } from "../../testing.ts";

const service = await openTestApp({ settings: { API_KEY_MAX_DAYS: "90" } });
afterAll(() => service.close());
let owner: Person;
beforeAll(async () => {
  await connectNode(service);
  owner = await service.person();
});

type NewKey = Parameters<Person["client"]["apiKeys"]["create"]>[0]["body"];
const create = (change: Partial<NewKey> = {}, person = owner) =>
  person.client.apiKeys.create({
    body: { name: "Script", scopes: ["devices:read"], password: PASSWORD, ...change },
  });

describe("an API key", () => {
  test("does what its scopes allow, and nothing else", async () => {
    const { text } = await create({ scopes: ["devices:read"] });
    const client = service.client(text);
    expect((await client.devices.list()).items).toEqual([]);
    expect(await codeOf(client.devices.create({ body: { name: "Phone" } }))).toBe("sentinel.scope_missing");
    expect(await codeOf(client.accounts.me())).toBe("sentinel.scope_missing");
    expect(await codeOf(client.apiKeys.list())).toBe("sentinel.scope_missing");
  });

  test("never does what its account may not", async () => {
    const { text } = await create({ scopes: ["fleet:write", "accounts:write", "settings:write"] });
    expect(await codeOf(service.client(text).nodes.list())).toBe("request.not_allowed");
    const admin = await service.admin();
    const made = await create({ scopes: ["fleet:read"] }, admin);
    expect(await codeOf(service.client(made.text).nodes.list())).toBe("ok");
  });

  test("is shown once, and stands nowhere in the store", async () => {
    const { text, id } = await create();
    const [secret = ""] = text.split("_").slice(2);
    const { items } = await owner.client.apiKeys.list();
    expect(items.find((key) => key.id === id)).not.toHaveProperty("text");
    const rows = await service.database.db.selectFrom("api_keys").selectAll().execute();
    expect(JSON.stringify(rows) + rows.map(({ hash }) => hash.toString("latin1"))).not.toContain(secret);
  });

  test("needs the password to be made, and a wrong one makes none", async () => {
    expect(await codeOf(create({ password: "not the password" }))).toBe("accounts.wrong_password");
  });

  test("lives no longer than the service allows, and ends on its day", async () => {
    expect(await codeOf(create({ expires_in_days: 91 }))).toBe("api_keys.too_long");
    const { text } = await create({ expires_in_days: 2 });
    expect(await codeOf(service.client(text).devices.list())).toBe("ok");
    service.clock.advanceSeconds(3 * 86_400);
    expect(await codeOf(service.client(text).devices.list())).toBe("request.not_logged_in");
    owner = await service.logIn(owner.email);
  });

  test("that is revoked ends at once", async () => {
    const { id, text } = await create();
    expect(await codeOf(service.client(text).devices.list())).toBe("ok");
    await owner.client.apiKeys.revoke({ params: { id } });
    expect(await codeOf(service.client(text).devices.list())).toBe("request.not_logged_in");
  });

  test("that is rotated works by its new text, and until tomorrow by the old one", async () => {
    const before = await create();
    const after = await owner.client.apiKeys.rotate({
      params: { id: before.id },
      body: { password: PASSWORD },
    });
    expect([after.id, after.text === before.text]).toEqual([before.id, false]);
    for (const { text } of [before, after])
      expect(await codeOf(service.client(text).devices.list())).toBe("ok");
    service.clock.advanceSeconds(2 * 86_400);
    expect(await codeOf(service.client(before.text).devices.list())).toBe("request.not_logged_in");
    expect(await codeOf(service.client(after.text).devices.list())).toBe("ok");
    owner = await service.logIn(owner.email);
  });

  test("of a suspended account ends at once", async () => {
    const person = await service.person();
    const { text } = await create({}, person);
    expect(await codeOf(service.client(text).devices.list())).toBe("ok");
    const admin = await service.logIn((await service.admin()).email);
    await admin.client.accounts.change({ params: { id: person.id }, body: { state: "suspended" } });
    expect(await codeOf(service.client(text).devices.list())).toBe("request.not_logged_in");
  });

  test("has a rate of its own", async () => {
    const { text } = await create({ requests_per_minute: 3 });
    const codes = [];
    for (let request = 0; request < 5; request++)
      codes.push(await codeOf(service.client(text).devices.list()));
    expect(codes).toEqual(["ok", "ok", "ok", "sentinel.too_many_requests", "sentinel.too_many_requests"]);
    const answer = await service.send("/api/vpn/devices", { token: text });
    expect(answer.headers.get("ratelimit-policy")).toBe('"api_key";q=3;w=60');
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  test("somebody else's is not to be found", async () => {
    const { id } = await create();
    const stranger = await service.person();
    expect(await codeOf(stranger.client.apiKeys.revoke({ params: { id } }))).toBe("api_keys.not_found");
    const rotate = (person: typeof stranger, password: string) =>
      codeOf(person.client.apiKeys.rotate({ params: { id }, body: { password } }));
    expect(await rotate(stranger, PASSWORD)).toBe("api_keys.not_found");
    expect(await rotate(owner, "not the password")).toBe("accounts.wrong_password");
  });

  test("there are fifty at most", async () => {
    const person = await service.person();
    const made: string[] = [];
    for (let batch = 0; batch < 5; batch++)
      made.push(...(await Promise.all(Array.from({ length: 11 }, () => codeOf(create({}, person))))));
    expect(made.filter((code) => code === "ok").length).toBe(50);
    expect(made.filter((code) => code === "api_keys.too_many").length).toBe(5);
  });
});
