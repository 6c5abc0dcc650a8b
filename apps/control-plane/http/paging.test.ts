import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exampleFor, propertiesOf, ROUTES, urlOf } from "../attacks/examples.ts";
import { codeOf, connectNode, openTestApp, type Person } from "../testing.ts";

const service = await openTestApp();
afterAll(() => service.close());
let person: Person;
let names: string[];

beforeAll(async () => {
  await connectNode(service);
  const admin = await service.admin();
  await admin.client.service.changeSettings({ body: { devices_per_account_max: 100 } });
  person = await service.person();
  const neighbour = await service.person();
  names = [
    "a",
    "A",
    "á",
    "Ä",
    "z",
    "Zed",
    "0",
    "10",
    "9",
    "100%",
    "under_score",
    "back\\slash",
    "名前",
    "🦊",
    "e\u0301",
    "a b",
  ];
  names.push(..."Phone Laptop phone-2 PHONE iPhone".split(" "));
  for (const name of names) await person.client.devices.create({ body: { name } });
  await neighbour.client.devices.create({ body: { name: "phone of somebody else" } });
  // Two revoked ones beside an active one, all of the same name.
  for (let time = 0; time < 2; time++) {
    const { items } = await person.client.devices.list({ query: { search: "Zed" } });
    const active = items.find(({ state }) => state === "active");
    await person.client.devices.revoke({ params: { id: active?.id ?? "" } });
    await person.client.devices.create({ body: { name: "Zed" } });
    names.push("Zed");
  }
});

const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

async function readAll(limit: number, search?: string): Promise<{ id: string; name: string }[]> {
  const found: { id: string; name: string }[] = [];
  let cursor: string | undefined;
  do {
    const page = await person.client.devices.list({
      query: { limit, ...(cursor ? { cursor } : {}), ...(search === undefined ? {} : { search }) },
    });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    if (page.next_cursor !== null) expect(page.items).toHaveLength(limit);
    found.push(...page.items.map(({ id, name }) => ({ id, name })));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

test("whatever the size of the pages, together they are all devices, each once, in the same order", async () => {
  const all = await readAll(100);
  expect(all.map(({ name }) => name).sort()).toEqual([...names].sort());
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 100 }), async (limit) => {
      expect(await readAll(limit)).toEqual(all);
    }),
    { numRuns: 12, examples: [[1], [2], [all.length - 1], [all.length], [all.length + 1]] },
  );
});

test("a search finds the names that hold the text, in either case, and takes no wildcards", async () => {
  const find = async (search: string) => (await readAll(3, search)).map(({ name }) => name).sort();
  expect(await find("phone")).toEqual(["PHONE", "Phone", "iPhone", "phone-2"]);
  expect(await find("100%")).toEqual(["100%"]);
  expect(await find("%")).toEqual(["100%"]);
  expect(await find("_")).toEqual(["under_score"]);
  expect(await find("\\")).toEqual(["back\\slash"]);
  expect(await find("'; drop table devices; --")).toEqual([]);
  expect(await find(" 名 ")).toEqual(["名前"]);
});

test("a cursor of another list, cut or made up is refused", async () => {
  const { next_cursor } = await person.client.devices.list({ query: { limit: 1 } });
  const cursors = [
    made(["a"]),
    made(["a", "b", "c"]),
    made(["a", 1]),
    made({ 0: "a", 1: "b" }),
    made(["a", "\0"]),
    "AAAA",
    made(null),
  ];
  cursors.push((next_cursor ?? "").slice(0, -4), "x".repeat(513), "..%2F");
  for (const cursor of cursors) {
    expect(await codeOf(person.client.devices.list({ query: { cursor } })), cursor).toBe("request.invalid");
  }
});

test("whatever another list may have sorted by, each list answers or refuses it", async () => {
  const values = ["", "x", "0", "-1", "9".repeat(20), "2026-01-01", "2026-02-31", "0000-01-01", "infinity"];
  const positions = [...values.map((value) => [value]), ...values.map((value) => [value, "x"])];
  const lists = ROUTES.filter(({ route }) => propertiesOf(route.query).some(([part]) => part === "cursor"));
  expect(lists.length).toBeGreaterThan(8);
  const { token } = await service.admin();
  for (const { name, route } of lists) {
    const example = exampleFor(route);
    const statuses = new Map<string, number>();
    for (const position of positions) {
      const url = urlOf(route, { ...example, query: { cursor: made(position) } });
      const { status } = await service.send(url, { method: route.method, token });
      statuses.set(JSON.stringify(position), status);
    }
    expect(new Set([...statuses.values(), 200, 400]), `${name} ${[...statuses]}`).toEqual(
      new Set([200, 400]),
    );
  }
});

test("a page that goes on after its last row was removed leaves nothing out", async () => {
  const all = await readAll(100);
  const { items, next_cursor } = await person.client.devices.list({ query: { limit: 3 } });
  await person.client.devices.remove({ params: { id: items[2]?.id ?? "" } });
  const rest = await person.client.devices.list({ query: { limit: 100, cursor: next_cursor ?? "" } });
  expect(rest.items.map(({ id }) => id)).toEqual(all.slice(3).map(({ id }) => id));
});
