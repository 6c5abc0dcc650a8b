import { expect, test } from "vitest";
import { catalogue, createCatalogue, describeField } from "./catalogue.ts";
import { entryOf, type Group } from "./entry.ts";

const entries = catalogue.groups.flatMap((group) =>
  Object.entries(group.fields).map(([name, field]) => entryOf(group, name, field)),
);
const nameOf = ({ room, name }: Pick<Group, "room" | "name">) => `${room} ${name}`;

test("whatever is about people has a legal basis, and says how it is exported or why not", () => {
  const lacking = catalogue.groups.filter(({ whose, basis }) => whose !== "nobody" && basis === undefined);
  expect(lacking.map(nameOf)).toEqual([]);
  expect(entries.filter(({ whose, basis }) => whose !== "nobody" && basis === undefined).map(nameOf)).toEqual(
    [],
  );
});

test("what is stored of customers is exported, or kept from the export for a reason that it states", () => {
  const stored = entries.filter(({ whose, class: kind }) => whose === "customer" && kind === "durable");
  expect(stored.length).toBeGreaterThan(40);
  for (const entry of stored)
    expect("as" in entry.export ? entry.export.as : entry.export.not, entry.name).toMatch(/\w{4}/);
});

test("a network address is in memory or on its way, never kept", () => {
  const kept = entries.filter(({ precision }) => precision === "network address");
  expect(new Set(kept.map(({ class: kind }) => kind))).toEqual(new Set(["live", "kernel memory"]));
});

test("what people wrote stands in no table as they wrote it", () => {
  const plain = entries.filter(({ room, precision }) => room === "table" && precision === "given text");
  expect(plain.map(({ name }) => name)).toEqual(["unsealed.value"]);
});

test("a time finer than a day, or an order, states why it tells nothing of a customer's use", () => {
  const fields = catalogue.groups.flatMap(({ fields: all }) => Object.values(all));
  const exact = fields.filter(({ precision }) => precision === "instant" || precision === "order");
  expect(exact.filter(({ because }) => because === undefined || because.length < 8)).toEqual([]);
});

test("sentences fit into one: small at the beginning, no full stop at the end, no bar that would break a table", () => {
  const texts = [
    ...catalogue.groups.flatMap(({ what, purpose, lifetime }) => [what, purpose, lifetime]),
    ...entries.map(({ what }) => what),
  ];
  expect(texts.filter((text) => /[|\n]|\.$|^$/.test(text))).toEqual([]);
});

test("an entry is listed once", () => {
  expect(() => createCatalogue([...catalogue.groups, ...catalogue.groups.slice(0, 1)])).toThrow("once");
});

test("a column is described with all that holds for it", () => {
  expect(describeField("accounts", "email_sealed")).toEqual({
    room: "table",
    name: "accounts.email_sealed",
    what: "mail address, encrypted under the account's data key",
    class: "durable",
    whose: "customer",
    precision: "sealed",
    lifetime: "until the account is deleted",
    purpose: "to let you log in, to reach you by mail, and to give you what you are entitled to",
    basis: "contract",
    export: { as: "account" },
  });
  expect(describeField("accounts", "password_sealed")).toMatchObject({ export: { not: expect.any(String) } });
  expect(describeField("peers", "revision")).toMatchObject({ whose: "nobody" });
  expect(describeField("accounts", "shoe_size")).toBeUndefined();
});
