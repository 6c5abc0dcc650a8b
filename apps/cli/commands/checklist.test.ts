import { expect, test } from "vitest";
import { CHECKLISTS } from "../checklists/lists.ts";
import { useService } from "../testing/service.ts";

const service = useService();
const itemsOf = async (name: string) => {
  const ran = await service.run(`checklist ${name} --json`);
  const { list, items } = ran.json() as {
    list: string;
    items: { what: string; state: string; says: string }[];
  };
  expect(list).toBe(name);
  return { code: ran.code, items, find: (what: string) => items.find((item) => item.what === what) };
};

test.each(Object.keys(CHECKLISTS) as (keyof typeof CHECKLISTS)[])(
  "every item of the %s list is looked at, or says what a person looks at",
  async (name) => {
    const { code, items } = await itemsOf(name);
    expect(items.map(({ what }) => what)).toEqual(CHECKLISTS[name].map(({ what }) => what));
    for (const { what, says } of items) {
      expect(says, what).not.toBe("");
      expect(says, what).not.toContain("could not be seen");
    }
    expect(code).toBe(items.some(({ state }) => state === "look") ? 1 : 0);
  },
);

test("backups that were switched off are to be looked at", async () => {
  expect((await itemsOf("daily")).find("Backups were made")?.state).toBe("look");
  service.api().state.backups.isOn = false;
  const { code, find } = await itemsOf("daily");
  expect(find("Backups were made")).toMatchObject({ state: "look", says: "backups are switched off" });
  expect(code).toBe(1);
});

test("drills that were not carried out in time are named", async () => {
  const { find } = await itemsOf("monthly");
  expect(find("Recovery of the database was drilled")?.says).toMatch(/^not within 35 days: backup-verify$/);
});

test("what nobody measured is unknown, and not well", async () => {
  const { find } = await itemsOf("weekly");
  expect(find("Queries are fast")).toMatchObject({ state: "unknown", says: "not measured" });
  const daily = await itemsOf("daily");
  expect(daily.find("Errors and response times")).toMatchObject({
    state: "well",
    says: "Mean answer 41.3 ms (target 200 ms)",
  });
});

test("people see a table, and how many things are left", async () => {
  const ran = await service.run("checklist daily");
  expect(ran.stdout).toMatch(/by hand +Payments came in +Look at your payment provider/);
  expect(ran.stdout).toMatch(/\d+ things? to look at, 3 by hand\n$/);
  expect((await service.run("checklist hourly")).code).toBe(2);
});
