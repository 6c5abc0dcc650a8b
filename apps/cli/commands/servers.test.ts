import { beforeEach, expect, test } from "vitest";
import { useService } from "../testing/service.ts";

const service = useService();
const best = async (line: string) => {
  const { items } = (await service.run(`servers best ${line} --json`)).json() as {
    items: { name: string }[];
  };
  return items.map(({ name }) => name);
};

beforeEach(async () => {
  service.api().state.fleet.add("TV-1", "London", { latitude: 51.5, longitude: -0.1, tags: ["streaming"] });
  await service.logIn("ada@example.org");
});

test("servers are listed with what keeps a device off them", async () => {
  expect((await service.run("servers list")).stdout).toBe(
    [
      "NAME       REGION         LOAD  SCORE",
      "FRA-1      Frankfurt      low      70  takes no devices at the moment",
      "TV-1       London         low     100  not in your plan",
      "US-East-1  United States  low     100",
      "US-West-1  United States  low     100",
      "",
      "4 servers",
      "",
    ].join("\n"),
  );
  expect((await service.run("servers list --region london --json")).json()).toMatchObject({
    items: [{ name: "TV-1", included: false }],
    next_cursor: null,
  });
});

test("from where one is, near servers come first and the distance is shown", async () => {
  expect(await best("--country JP")).toEqual(["US-West-1", "US-East-1"]);
  expect((await service.run("servers best --country jp")).stdout).toMatch(/US-West-1 .* \d{4} km /);
  expect(await best("--country JP --limit 1")).toEqual(["US-West-1"]);
});

test("a plan's tags open servers that are for it alone", async () => {
  const { plans } = service.api().state;
  expect(await best("--country GB")).not.toContain("TV-1");
  Object.assign(plans.plans.find(({ is_default }) => is_default) ?? {}, { server_tags: ["streaming"] });
  expect((await best("--country GB"))[0]).toBe("TV-1");
});

test("a region without a server is answered with the nearest one that has, and an exit code", async () => {
  const ran = await service.run("servers best --region Frankfurt --country US");
  expect(ran.code).toBe(1);
  expect(ran.stdout).toMatch(
    /^No server of Frankfurt takes devices at the moment\. The nearest one is in United States, \d+ km away: securewave servers best --region "United States"\n$/,
  );
  expect((await service.run("servers best --region Frankfurt --json")).json()).toEqual({
    items: [],
    alternative: { region: "United States", distance_km: null },
  });
});
